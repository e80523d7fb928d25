"""Calls between aiortc and aiortc, over real sockets."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiortc import RTCDataChannel
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtpPacket

from tests.support.leaks import no_leaks
from tests.transports.webrtc.caller import Caller, Microphone, calling
from vivavoce.audio.opus import FRAME_MS
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, PLAYED, Closed, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.transports.webrtc import ice
from vivavoce.transports.webrtc.call import Call, answer

pytestmark = pytest.mark.realtime


@pytest.fixture(autouse=True)
async def nothing_is_left_running() -> AsyncIterator[None]:
    """No task, no decoder thread, no socket."""
    sockets = open_sockets()
    async with no_leaks():
        yield
        await asyncio.sleep(0.05)
    assert [thread.name for thread in threading.enumerate() if thread.name.endswith("-decoder")] == []
    assert open_sockets() == sockets


def open_sockets() -> int:
    """On Linux; elsewhere the leak of one goes unseen."""
    descriptors = Path("/proc/self/fd")
    links = list(descriptors.iterdir()) if descriptors.exists() else []
    return sum(os.path.exists(link) and os.readlink(link).startswith("socket:") for link in links)


def tone(milliseconds: int) -> bytes:
    return (b"\x00\x20" * 12 + b"\x00\xe0" * 12) * milliseconds


async def until(call: Call, kind: str) -> Frame:
    async with asyncio.timeout(5):
        while (frame := await call.receive()).type != kind:
            pass
    return frame


async def ending(call: Call) -> Closed:
    async def receive_all() -> None:
        while True:
            await call.receive()

    with pytest.raises(Closed) as end:
        await asyncio.wait_for(receive_all(), 10)
    return end.value


async def test_events_go_both_ways_and_what_is_none_is_refused():
    async with calling() as (call, caller):
        await call.send(Frame("session.created", {"type": "session.created"}))
        assert await caller.event() == {"type": "session.created"}
        caller.channel.send("{nonsense")
        caller.channel.send(b"\x00")
        caller.say(type="input_audio_buffer.append", audio="AAAA")  # needless next to a track: not heard twice
        caller.say(type="response.create", event_id="mine")
        frame = await until(call, "response.create")
        assert frame.data == {"type": "response.create", "event_id": "mine"}
        assert [(await caller.event())["error"]["code"] for _ in range(2)] == ["invalid_event"] * 2


async def test_session_created_may_be_sent_before_the_caller_is_there():
    caller = Caller()
    call, sdp = await answer(await caller.offer(), Ga(), new_id=lambda: "event_1")
    sending = asyncio.create_task(call.send(Frame("session.created", {"type": "session.created"})))
    await caller.accept(sdp)
    assert await caller.event() == {"type": "session.created"}
    await sending
    await caller.close()
    await call.close()


async def test_the_answer_is_what_browsers_need():
    caller = Caller()
    offer = (await caller.offer()).replace("m=audio", "m=audio", 1)
    call, sdp = await answer(offer, Ga(), new_id=lambda: "event_1")
    sections = sdp.split("m=")[1:]
    assert [section.split()[0] for section in sections] == ["audio", "application"]
    assert "a=mid:0" in sections[0]
    assert "a=mid:1" in sections[1]
    assert "opus/48000/2" in sections[0]
    assert "PCMU" not in sections[0]
    assert "a=max-message-size:262144" in sections[1]
    assert sdp.count("a=setup:active") == 2
    assert "useinbandfec=1" in sections[0]
    assert sections[0].count("a=candidate:") >= 1
    stream, track = sections[0].split("a=msid:")[1].split()[:2]
    assert stream not in ("", "-")
    assert track
    await caller.peer.close()
    await call.close()


async def test_the_callers_voice_arrives_as_24_khz_in_real_time():
    async with calling() as (call, _caller):
        await until(call, APPEND)
        start, heard = asyncio.get_running_loop().time(), 0
        while heard < 1000 * 48:
            frame = await until(call, APPEND)
            pcm = frame.audio or b""
            heard += len(pcm)
        assert asyncio.get_running_loop().time() - start == pytest.approx(1, abs=0.2)
        assert max(memoryview(pcm).cast("h")) > 4000


@pytest.mark.parametrize("last", [21, 50], ids=["one packet", "thirty packets"])
async def test_lost_packets_count_as_time_and_delay_nothing_for_long(last: int):
    microphone = Microphone()
    async with calling(Caller(microphone)) as (call, caller):
        transport = caller.transceiver.sender.transport
        send, lost = transport._send_rtp, 0

        async def lossy(data: bytes) -> None:
            nonlocal lost
            if 20 < microphone.tick / 960 <= last and not 192 <= data[1] <= 223:  # RTCP passes
                lost += 1
            else:
                await send(data)

        transport._send_rtp = lossy  # type: ignore[method-assign]
        heard = 0
        while microphone.tick < 90 * 960:
            heard += len((await until(call, APPEND)).audio or b"") // 48
        assert lost == last - 20
        said = microphone.tick // 48
        assert said - 2 * FRAME_MS <= heard <= said


@pytest.mark.parametrize("second", [111, 200], ids=["RTP", "RTCP"])
async def test_packets_that_the_caller_did_not_sign_change_nothing(second: int):
    async with calling() as (call, caller):
        await until(call, APPEND)
        connection = call._peer.getTransceivers()[0].receiver.transport.transport._connection
        for rest in (0, 1, 10, 200, 1500, 9000):
            connection.data_received(bytes([0x90, second]) + bytes(rest), 1)
        connection.data_received(b"\x80", 1)
        await asyncio.sleep(0)
        await call.send(Frame("session.created", {"type": "session.created"}))
        assert (await caller.event())["type"] == "session.created"
        await until(call, APPEND)


async def test_calls_make_no_threads():
    """A caller, which is aiortc's own, has one for what it hears, and a pool that encodes what it says."""
    before = set(threading.enumerate())  # other tests may have left some
    async with AsyncExitStack() as stack:
        calls = [(await stack.enter_async_context(calling()))[0] for _ in range(4)]
        for call in calls:
            await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, tone(100)))
            await until(call, PLAYED)
            await until(call, APPEND)
        new = set(threading.enumerate()) - before
        threads = Counter(re.sub(r"[-_]?\d+", "", thread.name) for thread in new)
        assert threads["audio-decoder"] == len(calls)
        assert set(threads) <= {"audio-decoder", "asyncio"}


async def test_a_listener_who_loses_packets_gets_them_twice():
    async with calling() as (call, caller):
        sender = call._peer.getTransceivers()[0].sender
        lost = RtcpReceiverInfo(
            ssrc=sender._ssrc, fraction_lost=26, packets_lost=1, highest_sequence=0, jitter=0, lsr=0, dlsr=0
        )
        payloads: list[bytes] = []
        handle = caller.transceiver.receiver._handle_rtp_packet

        async def watched(packet: RtpPacket, arrival_time_ms: int) -> None:
            payloads.append(packet.payload)
            await handle(packet, arrival_time_ms)

        caller.transceiver.receiver._handle_rtp_packet = watched  # type: ignore[method-assign]
        await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, tone(1000)))
        await until(call, PLAYED)
        report = RtcpRrPacket(ssrc=1, reports=[lost])
        await caller.transceiver.receiver._send_rtcp(report)
        for _ in range(8):
            await until(call, PLAYED)
        celt = 16  # and above: the configurations (RFC 6716, 3.1) that can repeat nothing
        assert payloads[0][0] >> 3 >= celt > payloads[-1][0] >> 3


async def test_an_answer_is_heard_and_its_playing_reported_and_then_nothing_is_sent():
    async with calling() as (call, caller):
        assert caller.packets == []
        await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, tone(300)))
        done = {"type": "response.output_audio.done", "item_id": "item_1"}
        await call.send(Frame("response.output_audio.done", done))
        assert await caller.event() == done  # and no delta before it (W-06)
        reports = [(await until(call, PLAYED)).data for _ in range(3)]
        assert [(r["item_id"], r["audio_ms"], r["drained"]) for r in reports] == [
            ("item_1", 100, False),
            ("item_1", 200, False),
            ("item_1", 300, True),
        ]
        await asyncio.sleep(0.2 + 0.1)  # the silent tail
        sent = len(caller.packets)
        assert sent == (300 + 200) // FRAME_MS
        assert max(loudness for _, loudness in caller.heard) > 4000
        await asyncio.sleep(0.5)
        assert len(caller.packets) == sent
        await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_2"}, tone(40)))
        await until(call, PLAYED)
        await asyncio.sleep(0.1)
        (before, stamp_before), (after, stamp_after) = caller.packets[sent - 1 : sent + 1]
        assert (stamp_after - stamp_before) / 48_000 == pytest.approx(after - before, abs=0.05)


async def test_a_flush_is_silence_at_once():
    async with calling() as (call, caller):
        await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, tone(5000)))
        await until(call, PLAYED)
        await call.send(Frame(FLUSH, {"item_id": "item_1"}))
        last = (await until(call, PLAYED)).data
        assert last["drained"]
        assert last["audio_ms"] < 1000
        await asyncio.sleep(0.4)
        assert len(caller.packets) <= (last["audio_ms"] + 200) // FRAME_MS + 2  # with the silent tail


@pytest.mark.parametrize(("direction", "hears", "is_heard"), [("recvonly", True, False), ("sendonly", False, True)])
async def test_a_caller_who_only_listens_or_only_speaks(direction: str, hears: bool, is_heard: bool):
    async with calling(Caller(direction=direction)) as (call, caller):
        await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, tone(100)))
        await until(call, PLAYED)
        if is_heard:
            await until(call, APPEND)
        else:  # then sound on the data channel is all there is
            caller.say(type=APPEND, audio="AQI=")
            assert (await until(call, APPEND)).audio == b"\x01\x02"
        await asyncio.sleep(0.1)
        assert bool(caller.packets) == hears


async def test_large_events_pass_in_pieces():
    async with calling() as (call, caller):
        text = "x" * 200_000
        for number in range(7):
            await call.send(Frame("big", {"type": "big", "number": number, "text": text}))
        assert [(await caller.event())["number"] for _ in range(7)] == list(range(7))
        caller.say(type="session.update", text=text)
        assert (await until(call, "session.update")).data["text"] == text


async def test_the_caller_hangs_up():
    async with calling() as (call, caller):
        await until(call, APPEND)
        await caller.close()
        end = await ending(call)
        assert (end.code, end.reason) == (1000, "The caller hung up.")
        with pytest.raises(Closed):
            await call.send(Frame("x", {"type": "x"}))


async def test_the_caller_closes_the_channel():
    async with calling() as (call, caller):
        caller.channel.close()
        assert (await ending(call)).code == 1000


async def test_hanging_up_from_here_delivers_what_was_said_before():
    async with calling() as (call, caller):
        sending = asyncio.create_task(until(call, "never"))
        await asyncio.sleep(0)
        for number in range(3):
            await call.send(Frame("big", {"type": "big", "number": number, "text": "x" * 100_000}))
        await call.close(4000, "enough")
        await call.close()
        with pytest.raises(Closed) as end:
            await sending
        assert (end.value.code, end.value.reason) == (4000, "enough")
        assert [(await caller.event())["number"] for _ in range(3)] == [0, 1, 2]
        await asyncio.wait_for(caller.closed.wait(), 5)


async def test_a_caller_who_vanishes_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ice, "CONSENT_SECONDS", 0.1)
    monkeypatch.setattr(ice, "MISSED", 1)
    async with calling() as (call, caller):
        for protocol in caller.transceiver.sender.transport.transport._connection._protocols:
            protocol.transport.abort()
        assert (await ending(call)).code == 1006


async def test_nobody_comes():
    caller = Caller()
    call, _ = await answer(await caller.offer(), Ga(), new_id=lambda: "event_1", connect_timeout=0.2)
    sending = asyncio.create_task(call.send(Frame("session.created", {"type": "session.created"})))
    end = await ending(call)
    assert (end.code, "0.2 s" in end.reason) == (1006, True)
    with pytest.raises(Closed):
        await sending
    await call.close()
    await caller.peer.close()


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.03, 0.04, 0.06])
async def test_a_call_that_is_closed_while_it_connects(after: float):
    caller = Caller()
    call, sdp = await answer(await caller.offer(), Ga(), new_id=lambda: "event_1")
    accepting = asyncio.create_task(caller.accept(sdp))
    await asyncio.sleep(after)
    await call.close()
    accepting.cancel()
    await asyncio.gather(accepting, return_exceptions=True)
    await caller.close()


async def test_a_bad_offer_leaves_nothing_behind():
    caller = Caller()
    offer = (await caller.offer()).replace("opus/48000/2", "opus/16000/2")
    with pytest.raises(ProtocolError) as refused:
        await answer(offer, Ga(), new_id=lambda: "event_1")
    assert refused.value.code == "invalid_offer"
    await caller.peer.close()


async def test_other_channels_and_a_camera_are_left_alone():
    caller = Caller()
    other: RTCDataChannel = caller.peer.createDataChannel("something else")
    caller.peer.addTransceiver("video", "recvonly")
    opened = asyncio.Event()
    other.on("open", opened.set)
    async with calling(caller) as (call, caller):
        await asyncio.wait_for(opened.wait(), 5)
        other.send('{"type": "from another channel"}')
        caller.say(type="response.create")
        async with asyncio.timeout(5):
            while (frame := await call.receive()).type == APPEND:
                pass
        assert frame.type == "response.create"


@pytest.mark.skipif(not shutil.which("unshare") or not shutil.which("ip"), reason="needs unshare and ip")
def test_a_machine_with_nothing_but_lo():
    root = Path(__file__).parents[3]
    command = f"ip link set lo up && exec {sys.executable} -m tests.transports.webrtc.only_lo"
    run = subprocess.run(["unshare", "-rn", "sh", "-c", command], cwd=root, capture_output=True, text=True, timeout=30)
    if "unshare" in run.stderr:
        pytest.skip(run.stderr.strip())
    assert run.stdout.strip() == "session.created", run.stderr
