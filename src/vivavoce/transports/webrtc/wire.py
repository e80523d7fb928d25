"""The short way of sound between a call's socket and libopus: encrypted and decrypted where it comes and goes.

aiortc hands each datagram through a queue to a task, and makes objects of it on the way; for a packet of sound that
costs more than to decrypt it. So packets of sound are taken off at the socket; all else (STUN, DTLS, RTCP) goes
aiortc's way. This leans on parts of aiortc and aioice that are not public, so ``pyproject.toml`` bounds their versions,
and the tests of calls fail if they change.
"""

from collections.abc import Callable

import pylibsrtp
from aioice import Connection
from aiortc.rtcdtlstransport import RTCDtlsTransport

__all__ = ["Wire"]

RTP = range(128, 192)
"""The first byte of RTP and RTCP (RFC 7983)."""
RTCP = range(192, 224)
"""The second byte of RTCP (RFC 5761, 4)."""
SMALLEST, LARGEST = 12, 1500
"""Bytes that a packet may have. libsrtp's buffer holds no more, and aiortc would break off for one of RTCP."""


class Wire:
    """A transport whose DTLS stands."""

    def __init__(self, transport: RTCDtlsTransport) -> None:
        self._connection: Connection = transport.transport._connection
        self._incoming = transport._rx_srtp
        self._outgoing = transport._tx_srtp

    def tap(self, take: Callable[[bytes], None]) -> None:
        """From now on ``take`` is given the packets of sound, decrypted. What the caller has not signed is dropped."""
        pass_on, decrypt = self._connection.data_received, self._incoming.unprotect

        def data_received(data: bytes, component: int) -> None:
            if data[0] not in RTP:
                pass_on(data, component)
            elif not SMALLEST <= len(data) <= LARGEST:
                return
            elif data[1] in RTCP:
                pass_on(data, component)
            else:
                try:
                    packet = decrypt(data)
                except pylibsrtp.Error:
                    return
                take(packet)

        self._connection.data_received = data_received  # type: ignore[method-assign]

    def untap(self) -> None:
        vars(self._connection).pop("data_received", None)

    def send(self, packet: bytes) -> None:
        """A packet of sound. It is lost where the connection is."""
        self._leave(self._outgoing.protect(packet))

    def report(self, packet: bytes) -> None:
        """RTCP. It is lost where the connection is."""
        self._leave(self._outgoing.protect_rtcp(packet))

    def _leave(self, data: bytes) -> None:
        if pair := self._connection._nominated.get(1):
            pair.protocol.transport.sendto(data, pair.remote_addr)
