"""Which UDP ports calls take: any, one each of a range, or one that all of them share (``mux``).

A call has the same port on every address of this machine, so that whoever forwards packets to it (a router, Docker)
need not know which of them is meant.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import Any, Protocol, cast

from aioice import Connection
from aioice.ice import StunProtocol
from aioice.turn import UDP_SOCKET_BUFFER_SIZE

from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["AnyPort", "Ear", "NoPort", "PortRange", "Ports", "bound"]

STUN_BELOW = 4
"""The first byte of STUN is less, that of DTLS and SRTP more (RFC 7983)."""


class NoPort(ProtocolError):
    """Every port that calls may use is taken."""

    def __init__(self, low: int, high: int) -> None:
        which = f"UDP port {low} is" if low == high else f"UDP ports {low} to {high} are all"
        words = f"The server's {which} taken, so it cannot carry another call now. Use a WebSocket, or try again."
        super().__init__("no_udp_port", words, type="server_error")


class Ear(StunProtocol):
    """aioice's end of a socket, which does not try to read each packet of sound as STUN first."""

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if data and cast(bytes, data)[0] >= STUN_BELOW:
            self.receiver.data_received(cast(bytes, data), self.local_candidate.component)
        else:
            super().datagram_received(data, addr)


class Ports(Protocol):
    async def open(self, connection: Connection, addresses: Sequence[str]) -> list[StunProtocol]:
        """An ear for each address that can be had. They are closed by ``connection``. Raises :class:`NoPort`."""
        ...


class AnyPort:
    async def open(self, connection: Connection, addresses: Sequence[str]) -> list[StunProtocol]:
        return await _ears(connection, addresses, 0)


class PortRange:
    """``low`` to ``high``, both included."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high
        self._next = low

    async def open(self, connection: Connection, addresses: Sequence[str]) -> list[StunProtocol]:
        count = self._high - self._low + 1
        for offset in range(count):
            port = self._low + (self._next - self._low + offset) % count
            try:
                ears = await _ears(connection, addresses, port)
            except OSError:
                continue
            self._next = port + 1  # not the one that was just given up: its last packets are still on their way
            return ears
        raise NoPort(self._low, self._high)


async def _ears(connection: Connection, addresses: Sequence[str], port: int) -> list[StunProtocol]:
    """Raises ``OSError`` where the port is taken on one of the addresses."""
    ears: list[StunProtocol] = []
    try:
        for address in addresses:
            if (sock := bound(address, port)) is not None:
                loop = asyncio.get_running_loop()
                ears.append((await loop.create_datagram_endpoint(lambda: Ear(connection), sock=sock))[1])
    except BaseException:
        for ear in ears:
            ear.transport.close()
        raise
    return ears


def bound(address: str, port: int) -> socket.socket | None:
    """None for an address that cannot be bound, because it has just gone. Raises ``OSError`` for a taken port."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise
        return None
    return sock
