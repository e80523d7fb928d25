"""Which ports and addresses answers offer, and that calls come about by them."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aioice import stun

from tests.support.leaks import no_leaks
from tests.transports.webrtc.caller import Caller, calling
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.transports.webrtc.call import Call, answer
from vivavoce.transports.webrtc.ice import Reach, reach
from vivavoce.transports.webrtc.ports import NoPort


@pytest.fixture(autouse=True)
async def nothing_is_left_open() -> AsyncIterator[None]:
    async with no_leaks(sockets=True):
        yield
        if connecting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(connecting, timeout=0.1)  # aiortc looks every 20 ms whether it still should


def free_ports(count: int) -> int:
    """The first of so many that are free, one after the other."""
    for low in range(20_000, 60_000, count):
        probes = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("::", low + offset))
        except OSError:
            continue
        else:
            return low
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


async def answered(reach: Reach) -> tuple[Call, set[tuple[str, int]]]:
    """A call, and the addresses that its answer offers."""
    caller = Caller()
    try:
        call, sdp = await answer(await caller.offer(), Ga(), new_id=lambda: "event_1", reach=reach)
    finally:
        await caller.peer.close()
    return call, {(host, int(port)) for host, port in re.findall(r"udp \d+ (\S+) (\d+) typ host", sdp)}


async def test_each_call_has_a_port_of_the_range_and_gives_it_back():
    low = free_ports(2)
    ranged = reach((low, low + 1))
    (first, one), (second, other) = await answered(ranged), await answered(ranged)
    assert [{port for _, port in one}, {port for _, port in other}] == [{low}, {low + 1}]
    with pytest.raises(NoPort, match=f"{low} to {low + 1} are all taken"):
        await answered(ranged)
    await first.close()
    third, again = await answered(ranged)
    assert {port for _, port in again} == {low}
    await second.close()
    await third.close()


async def test_calls_share_a_port_and_each_hears_its_own_caller():
    low = free_ports(1)
    shared = reach((low, low))
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(calling(reach=shared)) for _ in range(3)]
        for number, (call, caller) in enumerate(lines):
            caller.say(type="x", number=number)
            await call.send(Frame("y", {"type": "y", "number": number}))
        for number, (call, caller) in enumerate(lines):
            assert (await caller.event())["number"] == number
            async with asyncio.timeout(5):
                kinds: dict[str, Mapping[str, Any]] = {}
                while {"x", APPEND} - kinds.keys():
                    frame = await call.receive()
                    kinds[frame.type] = frame.data
            assert kinds["x"]["number"] == number
        call, caller = lines[0]
        await caller.close()
        await call.close()
        await lines[1][0].send(Frame("z", {"type": "z"}))  # the others go on
        assert (await lines[1][1].event())["type"] == "z"
    async with calling(reach=shared):  # all were gone, and the port was closed
        pass


async def test_calls_that_begin_at_once_share_a_port():
    low = free_ports(1)
    shared = reach((low, low))
    found = await asyncio.gather(*(answered(shared) for _ in range(4)))
    assert {port for _, offered in found for _, port in offered} == {low}
    for call, _ in found:
        await call.close()


async def test_a_shared_port_that_another_program_has():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        with pytest.raises(NoPort, match=f"UDP port {port} is taken"):
            await answered(reach((port, port)))


async def test_a_packet_that_proves_nothing_reaches_no_call():
    """Who knows a call's user fragment, and not its password, moves nothing to himself."""
    low = free_ports(1)
    async with calling(reach=reach((low, low))) as (call, caller):
        connection = call._peer.sctp.transport.transport.iceGatherer._connection  # type: ignore[union-attr]
        loop = asyncio.get_running_loop()
        address = connection._nominated[1].local_addr
        stranger, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{connection.local_username}:abcd"
        request.add_message_integrity(b"guessed")
        for data in (bytes(request), b"", b"\0", b"\x80nonsense", bytes(500)):
            stranger.sendto(data)
        caller.say(type="x")
        async with asyncio.timeout(5):
            while (await call.receive()).type != "x":
                pass
        share: Any = connection._protocols[0].transport
        assert stranger.get_extra_info("sockname")[:2] not in share._end._from
        stranger.close()


@pytest.mark.parametrize("shared", [True, False])
async def test_public_addresses_are_offered_in_the_place_of_our_own(shared: bool):
    low = free_ports(2)
    call, offered = await answered(reach((low, low + (not shared)), ["203.0.113.7", "198.51.100.1", "2001:db8::7"]))
    v4 = {(address, port) for address, port in offered if ":" not in address}
    assert v4 == {("203.0.113.7", low), ("198.51.100.1", low)}
    assert {address for address, _ in offered} - {address for address, _ in v4} <= {"2001:db8::7"}
    await call.close()


async def test_an_address_of_the_other_family_stays_as_it_is():
    call, offered = await answered(reach(None, ["2001:db8::7"]))
    assert any(":" not in address for address, _ in offered)
    await call.close()


async def test_servers_that_do_not_answer_delay_a_call_by_two_seconds_at_most():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        servers: list[dict[str, Any]] = [
            {"urls": [f"stun:{where}"]},
            {"urls": [f"turn:{where}"], "username": "a", "credential": "b"},
        ]
        caller = Caller()
        offer = await caller.offer()
        async with asyncio.timeout(3):
            call, sdp = await answer(offer, Ga(), new_id=lambda: "event_1", servers=servers)
        assert "typ host" in sdp
        await call.close()
        await caller.peer.close()
