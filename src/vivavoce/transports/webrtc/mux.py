"""One UDP port for all calls.

A packet is its call's by the address it comes from. An address becomes a call's when a connectivity check from there
proves, by the call's ICE password, that it is meant: the check names the call by its user fragment. The port is held
while there are calls.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from aioice import Connection, stun
from aioice.ice import StunProtocol

from vivavoce.transports.webrtc.ports import STUN_BELOW, Ear, NoPort, bound

__all__ = ["SharedPort"]

Address = tuple[str, int]

MAX_ADDRESSES = 16
"""By which one caller may be known: one for each of its networks, relays and mappings."""


class SharedPort:
    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: dict[str, _End] = {}  # by address of this machine
        self._opening = asyncio.Lock()

    async def open(self, connection: Connection, addresses: Sequence[str]) -> list[StunProtocol]:
        ears: list[StunProtocol] = []
        async with self._opening:
            try:
                for address in addresses:
                    ears += await self._join(connection, address)
            except BaseException:
                for ear in ears:
                    ear.transport.close()
                raise
        return ears

    async def _join(self, connection: Connection, address: str) -> list[Ear]:
        end = await self._end(address)
        return [end.join(connection)] if end is not None else []

    async def _end(self, address: str) -> "_End | None":
        """None for an address that cannot be bound."""
        end = self._ends.get(address)
        if end is not None and not end.closing:
            return end
        if end is not None:
            await end.closed.wait()
        try:
            sock = bound(address, self._port)
        except OSError:
            raise NoPort(self._port, self._port) from None
        if sock is None:
            return None
        loop = asyncio.get_running_loop()
        _, end = await loop.create_datagram_endpoint(lambda: _End((address, self._port)), sock=sock)
        self._ends[address] = end
        return end


class _End(asyncio.DatagramProtocol):
    """The port on one address."""

    transport: asyncio.DatagramTransport

    def __init__(self, name: Address) -> None:
        self.name = name
        self.closing, self.closed = False, asyncio.Event()
        self._calls: dict[str, Ear] = {}  # by our user fragment
        self._from: dict[Address, Ear] = {}

    def join(self, connection: Connection) -> Ear:
        ear = Ear(connection)
        ear.connection_made(_Share(self, ear))
        self._calls[connection.local_username] = ear
        return ear

    def leave(self, ear: Ear, addresses: Iterable[Address]) -> None:
        """The last one closes the port."""
        del self._calls[ear.receiver.local_username]
        for address in addresses:
            self._forget(ear, address)
        if not self._calls and not self.closing:
            self.closing = True
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.closing = True
        self.closed.set()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        address: Address = (addr[0], addr[1])
        ear = self._from.get(address)
        if data and data[0] < STUN_BELOW:
            ear = self._meant(data, address, ear)
        if ear is not None:
            ear.datagram_received(data, addr)

    def _meant(self, data: bytes, address: Address, known: Ear | None) -> Ear | None:
        """Whose STUN message it is; one that is signed for a call proves where its caller is."""
        try:
            message = stun.parse_message(data)
        except ValueError:
            return None
        if message.message_class != stun.Class.REQUEST:
            asked = (ear for ear in self._calls.values() if message.transaction_id in ear.transactions)
            return known or next(asked, None)
        ear = self._calls.get(message.attributes.get("USERNAME", "").partition(":")[0])
        if ear is None or not message.check_message_integrity(ear.receiver.local_password.encode()):
            return None
        if ear is not known:
            self._from[address] = ear
            self._forget(ear, cast(_Share, ear.transport).add(address))
        return ear

    def _forget(self, ear: Ear, address: Address | None) -> None:
        if address is not None and self._from.get(address) is ear:
            del self._from[address]


class _Share(asyncio.DatagramTransport):
    """A call's part in the port, as a transport of its own."""

    def __init__(self, end: _End, ear: Ear) -> None:
        super().__init__()
        self._end, self._ear = end, ear
        self._addresses: dict[Address, None] = {}  # in the order in which they were proved
        self._closed = False

    def add(self, address: Address) -> Address | None:
        """The caller is there, too; gives the address to forget for it."""
        self._addresses[address] = None
        if len(self._addresses) <= MAX_ADDRESSES:
            return None
        oldest = next(iter(self._addresses))
        del self._addresses[oldest]
        return oldest

    def sendto(self, data: Any, addr: Any = None) -> None:
        if not self._closed:
            self._end.transport.sendto(data, addr)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._end.name if name == "sockname" else default

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._end.leave(self._ear, self._addresses)
            asyncio.get_running_loop().call_soon(self._ear.connection_lost, None)

    abort = close
