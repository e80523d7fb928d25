"""Reachability where there is no network at all.

aioice leaves out 127.0.0.1 and ::1 when it looks for addresses, so a machine that has only ``lo`` (a laptop
on a train, a container without a network) would answer with no candidate. There, and only there, the
loopback addresses are offered. (A Chromium then needs ``--allow-loopback-in-peer-connection``.)
"""

from aioice import Candidate, Connection
from aiortc import RTCPeerConnection

__all__ = ["offer_loopback"]

LOOPBACK = ["127.0.0.1", "::1"]


def offer_loopback(peer: RTCPeerConnection) -> None:
    """To be called between the remote and the local description, before candidates are gathered."""
    transports = {transceiver.receiver.transport.transport for transceiver in peer.getTransceivers()}
    if peer.sctp is not None:
        transports.add(peer.sctp.transport.transport)
    for transport in transports:
        _where_there_is_nothing_else(transport.iceGatherer._connection)


def _where_there_is_nothing_else(connection: Connection) -> None:
    gather = connection.get_component_candidates

    async def gather_or_loopback(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        return await gather(component, addresses or LOOPBACK, timeout)

    connection.get_component_candidates = gather_or_loopback  # type: ignore[method-assign]
