"""How callers reach us: the ports and addresses that an answer offers, chosen on one connection at a time.

aioice takes any port, offers the addresses that this machine knows itself by, and leaves out 127.0.0.1 and ::1,
so that a machine which has only ``lo`` (a laptop on a train, a container without a network) would offer none.
There, and only there, the loopback addresses are offered. (A Chromium then needs
``--allow-loopback-in-peer-connection``.)

It also takes half a minute to notice that a caller is gone: browsers give up after five to fifteen seconds, and a
session that waits for its caller's return (``server/v1``) should know by then that it has to.
"""

import asyncio
import copy
import ipaddress
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aioice import Candidate, Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, server_reflexive_candidate
from aioice.utils import random_string
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from vivavoce.transports.webrtc.mux import SharedPort
from vivavoce.transports.webrtc.ports import AnyPort, PortRange, Ports

__all__ = ["Reach", "configuration", "prepare", "reach"]

LOOPBACK = ["127.0.0.1", "::1"]
GATHER_SECONDS = 2.0
"""That STUN and TURN servers may take; what they have not told by then is not offered."""
CONSENT_SECONDS, MISSED = 2.0, 5
"""How often a caller is asked whether it still wants packets (RFC 7675, where both are less eager), and how many
answers in a row may be missing. Each is waited for half a second: 12 s until a caller is lost."""
FRAGMENT = 8
"""Letters by which checks name a call: of a million calls on one port no two are likely to share theirs."""


@dataclass(frozen=True, slots=True)
class Reach:
    ports: Ports = field(default_factory=AnyPort)
    public: Sequence[str] = ()
    """Addresses that are offered in the place of this machine's own of the same family."""


def reach(udp_ports: tuple[int, int] | None = None, public: Sequence[str] = ()) -> Reach:
    """``udp_ports``: the lowest and the highest; where they are one, all calls share it."""
    if udp_ports is None:
        return Reach(AnyPort(), public)
    low, high = udp_ports
    return Reach(SharedPort(low) if low == high else PortRange(low, high), public)


def configuration(servers: Sequence[Mapping[str, Any]]) -> RTCConfiguration:
    """``servers`` as browsers take them. Without this, aiortc would ask a STUN server of Google's."""
    return RTCConfiguration(iceServers=[RTCIceServer(**server) for server in servers])


def prepare(peer: RTCPeerConnection, reach: Reach | None = None, lost: Callable[[], None] = lambda: None) -> None:
    """To be called once a peer connection has its sections, before candidates are gathered. ``lost`` is called when the
    other end no longer answers, just before the connection is closed for that."""
    transports = {transceiver.receiver.transport.transport for transceiver in peer.getTransceivers()}
    if peer.sctp is not None:
        transports.add(peer.sctp.transport.transport)
    for transport in transports:
        connection = transport.iceGatherer._connection
        connection._local_username = random_string(FRAGMENT)
        _offer(connection, reach or Reach())
        _ask_for_consent(connection, lost)


def _offer(connection: Connection, reach: Reach) -> None:
    of_relay = connection.get_component_candidates

    async def gather(component: int, addresses: list[str], timeout: int = 5) -> list[Candidate]:
        ears = await reach.ports.open(connection, addresses or LOOPBACK)
        for ear in ears:
            ear.local_candidate = _host(component, *ear.transport.get_extra_info("sockname")[:2])
        connection._protocols += ears
        hosts = [ear.local_candidate for ear in ears]
        reflexive, relayed = await asyncio.gather(_reflexive(connection, ears), of_relay(component, [], GATHER_SECONDS))  # type: ignore[arg-type]
        return [*_seen(hosts, reach.public), *reflexive, *relayed]

    connection.get_component_candidates = gather  # type: ignore[method-assign]


def _host(component: int, address: str, port: int) -> Candidate:
    foundation = candidate_foundation("host", "udp", address)
    priority = candidate_priority(component, "host")
    return Candidate(foundation, component, "udp", priority, address, port, "host")


async def _reflexive(connection: Connection, ears: Sequence[StunProtocol]) -> list[Candidate]:
    """As what a STUN server sees us; IPv4 alone, as nothing translates the addresses of IPv6."""
    if connection.stun_server is None:
        return []
    asked = [
        asyncio.create_task(server_reflexive_candidate(ear, connection.stun_server))
        for ear in ears
        if _family(ear.local_candidate.host) == 4
    ]
    if not asked:
        return []
    done, late = await asyncio.wait(asked, timeout=GATHER_SECONDS)
    for task in late:
        task.cancel()
    return [task.result()[0] for task in done if task.exception() is None]


def _seen(hosts: Sequence[Candidate], public: Sequence[str]) -> list[Candidate]:
    """The candidates as they are from outside."""
    seen: dict[tuple[str, int], Candidate] = {}
    for host in hosts:
        for address in [each for each in public if _family(each) == _family(host.host)] or [host.host]:
            outside = copy.copy(host)
            outside.host, outside.foundation = address, candidate_foundation("host", "udp", address)
            seen.setdefault((address, host.port), outside)
    return list(seen.values())


def _family(address: str) -> int:
    return ipaddress.ip_address(address).version


def _ask_for_consent(connection: Connection, lost: Callable[[], None]) -> None:
    async def ask() -> None:
        missed = 0
        while not connection._closed:  # it may be closed in the moment in which it connects
            await asyncio.sleep(CONSENT_SECONDS * random.uniform(0.8, 1.2))
            missed = 0 if await _consents(connection) else missed + 1
            if missed == MISSED:
                lost()
                connection._query_consent_task = None  # it is this one, and would be waited for
                await connection.close()

    connection.query_consent = ask  # type: ignore[method-assign]


async def _consents(connection: Connection) -> bool:
    key = (connection.remote_password or "").encode()
    for pair in list(connection._nominated.values()):
        request = connection.build_request(pair, nominate=False)
        try:
            await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=0)
        except stun.TransactionError:
            return False
    return True
