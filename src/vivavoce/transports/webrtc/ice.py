"""What aioice leaves to be desired, set right on one connection at a time.

It leaves out 127.0.0.1 and ::1 when it looks for addresses, so a machine that has only ``lo`` (a laptop on
a train, a container without a network) would answer with no candidate. There, and only there, the loopback
addresses are offered. (A Chromium then needs ``--allow-loopback-in-peer-connection``.)

And closed at the moment in which it connects, it still starts to ask its peer for consent, for ever.
"""

from aioice import Candidate, Connection
from aiortc import RTCPeerConnection

__all__ = ["prepare"]

LOOPBACK = ["127.0.0.1", "::1"]


def prepare(peer: RTCPeerConnection) -> None:
    """To be called once a peer connection has its sections, before candidates are gathered."""
    transports = {transceiver.receiver.transport.transport for transceiver in peer.getTransceivers()}
    if peer.sctp is not None:
        transports.add(peer.sctp.transport.transport)
    for transport in transports:
        connection = transport.iceGatherer._connection
        _offer_loopback(connection)
        _ask_while_open(connection)


def _offer_loopback(connection: Connection) -> None:
    gather = connection.get_component_candidates

    async def gather_or_loopback(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        return await gather(component, addresses or LOOPBACK, timeout)

    connection.get_component_candidates = gather_or_loopback  # type: ignore[method-assign]


def _ask_while_open(connection: Connection) -> None:
    ask = connection.query_consent

    async def ask_while_open() -> None:
        if not connection._closed:
            await ask()

    connection.query_consent = ask_while_open  # type: ignore[method-assign]
