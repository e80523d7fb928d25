"""Calls over WebRTC, with aiortc as the caller, and the sockets beside them (W; O-03 and O-04)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from aiortc import MediaStreamTrack
from av import AudioFrame
from websockets.asyncio.client import connect

from tests.conformance.live import ended, event, house, until
from tests.conformance.rows import row
from tests.engine.support import Senses, senses
from tests.protocol.hand import Hand
from tests.support.fake_models import FakeLlm, says
from tests.support.serving import Served, serving
from tests.transports.webrtc.caller import Caller, Microphone, calling
from tests.transports.webrtc.test_call import tone
from vivavoce.audio.opus import FRAME_BYTES, OpusEncoder
from vivavoce.backends.builtin import Builtin
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, PLAYED, Frame
from vivavoce.protocol.session.parts import AudioPart, Done, TextPart
from vivavoce.transports.webrtc.arrival import Arrivals
from vivavoce.transports.webrtc.call import answer
from vivavoce.transports.webrtc.channel import Events
from vivavoce.transports.webrtc.inbound import Inbound

SECOND = AudioPart(bytes(48_000), 24_000)
BY_HAND = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


@asynccontextmanager
async def placed(
    given: Senses | None = None, session: dict[str, Any] | None = None, microphone: MediaStreamTrack | None = None
) -> AsyncIterator[tuple[Caller, Served, str]]:
    """A caller on a call that the engine answers, with fake models; and the call's id."""
    async with serving(Builtin(given or senses(), lambda: 0.0)) as served:
        async with httpx.AsyncClient(base_url=served.http, timeout=20) as http:
            caller = Caller(microphone)
            try:
                form = {"sdp": (None, await caller.offer()), "session": (None, json.dumps(session or BY_HAND))}
                sdp = await http.post("/v1/realtime/calls", files=form)
                assert sdp.status_code == 201, sdp.text
                await caller.accept(sdp.text)
                yield caller, served, sdp.headers["location"].rpartition("/")[2]
            finally:
                await caller.close()


async def hear(caller: Caller, type: str) -> list[dict[str, Any]]:
    """Events up to that one."""
    heard = [await caller.event()]
    while heard[-1]["type"] != type:
        heard.append(await caller.event())
    return heard


async def next_of(call: Any, type: str) -> Frame:
    async with asyncio.timeout(5):
        while (frame := await call.receive()).type != type:
            pass
    return frame  # type: ignore[no-any-return]


# The offer and its answer ---------------------------------------------------------------------------


@row("W-03", "W-04", "W-05", "W-11")
async def test_the_answer():
    caller = Caller()
    call, sdp = await answer(await caller.offer(), Ga(), new_id=lambda: "event_1")
    try:
        audio, channel = sdp.split("m=")[1:]
        assert (audio.split()[0], channel.split()[0]) == ("audio", "application")
        assert "a=group:BUNDLE 0 1" in sdp
        assert "a=rtcp-mux" in audio
        assert ("a=mid:0" in audio, "a=mid:1" in channel) == (True, True)
        assert "opus/48000/2" in audio
        stream = audio.split("a=msid:")[1].split()[0]
        assert stream not in ("", "-")
        assert "a=candidate:" in audio
        assert sdp.count("a=setup:active") == 2
        assert "a=max-message-size:262144" in channel
    finally:
        await caller.peer.close()
        await call.close()


@row("W-01", "W-02", "W-13", "W-16", "O-03")
async def test_a_call_from_its_first_event():
    session = {**BY_HAND, "instructions": "From the form.", "audio": {**BY_HAND["audio"], "output": {"voice": "ash"}}}  # type: ignore[dict-item]
    async with placed(session=session) as (caller, _served, _call_id):
        channels: list[Any] = []
        caller.peer.on("datachannel", channels.append)
        created = await caller.event()
        assert created["type"] == "session.created"
        assert created["session"]["instructions"] == "From the form."
        assert created["session"]["audio"]["output"]["voice"] == "ash"
        caller.say(type="session.update", session={"type": "realtime", "instructions": "New."})
        updated = await asyncio.wait_for(caller.event(), 1)
        assert (updated["type"], updated["session"]["instructions"]) == ("session.updated", "New.")
        assert channels == []
        assert caller.channel.label == "oai-events"


# Sound ----------------------------------------------------------------------------------------------


@row("W-06", "W-07")
async def test_an_answer_sounds_on_the_track_and_is_told_on_the_channel():
    given = senses(llm=FakeLlm(says("One two three.")))
    async with placed(given) as (caller, _served, _call_id):
        caller.say(type="response.create")
        names = [told["type"] for told in await hear(caller, "output_audio_buffer.stopped")]
        assert "response.output_audio.delta" not in names
        assert names.index("response.content_part.added") < names.index("output_audio_buffer.started")
        assert {"response.output_audio_transcript.delta", "response.output_audio.done", "response.done"} <= set(names)
        assert names.count("output_audio_buffer.started") == names.count("output_audio_buffer.stopped") == 1
        assert max(loudness for _, loudness in caller.heard) > 1000


@row("W-07")
def test_each_started_is_stopped_or_cleared_once():
    hand = Hand(media=True)
    hand.respond()
    told = hand.model("resp_1", TextPart("One."), SECOND, Done())
    assert told.types.count("output_audio_buffer.started") == 1
    assert hand.played("item_1", 1000, drained=True).types == ["output_audio_buffer.stopped"]
    hand.respond()
    hand.model("resp_2", TextPart("Two."), SECOND)
    assert hand.voice(64).types.count("output_audio_buffer.cleared") == 1
    assert hand.played("item_2", 1000, drained=True) == []
    on_a_socket = Hand()
    on_a_socket.respond()
    names = on_a_socket.model("resp_1", TextPart("One."), SECOND, Done()).types
    assert not [name for name in names if name.startswith("output_audio_buffer")]


class Speech(Microphone):
    """The tone, and silence after one second."""

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        if self.tick <= 48_000:
            return frame
        silence = AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
        silence.sample_rate, silence.pts, silence.time_base = frame.sample_rate, frame.pts, frame.time_base
        return silence


@row("W-08")
async def test_the_track_is_heard_and_an_append_is_tolerated():
    session = {
        "type": "realtime",
        "audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": False}}},
    }
    async with placed(session=session, microphone=Speech()) as (caller, _served, _call_id):
        caller.say(type=APPEND, audio="AAAA")
        told = await hear(caller, "input_audio_buffer.committed")
        assert [each["type"] for each in told] == [
            "session.created",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
        ]
        assert 800 < told[2]["audio_end_ms"] - told[1]["audio_start_ms"] < 2000


@row("W-08")
async def test_commit_and_clear_work_on_the_track():
    async with placed() as (caller, _served, _call_id):
        caller.say(type="input_audio_buffer.clear")
        await hear(caller, "input_audio_buffer.cleared")
        while caller.channel.readyState == "open":
            caller.say(type="input_audio_buffer.commit")
            told = (await hear_one_of(caller, "input_audio_buffer.committed", "error"))["type"]
            if told == "input_audio_buffer.committed":
                break
            await asyncio.sleep(0.05)  # sound comes in real time
        assert (await caller.event())["type"] == "conversation.item.added"


async def hear_one_of(caller: Caller, *types: str) -> dict[str, Any]:
    while (told := await caller.event())["type"] not in types:
        pass
    return told


@row("W-09")
async def test_sound_is_paced_and_stops_at_once_when_it_is_cleared():
    loop = asyncio.get_running_loop()
    async with calling() as (call, caller):
        assert caller.packets == []  # nothing to say, nothing sent
        begun = loop.time()
        await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, tone(5000)))
        for _ in range(4):
            heard = (await next_of(call, PLAYED)).data["audio_ms"]
        assert loop.time() - begun == pytest.approx(heard / 1000, abs=0.15)
        await call.send(Frame(FLUSH, {"item_id": "item_1"}))
        assert (await next_of(call, PLAYED)).data["audio_ms"] - heard <= 40


@row("W-10")
def test_lost_packets_count_as_time():
    arrivals, inbound, silence, heard = Arrivals(), Inbound(), OpusEncoder().encode(bytes(FRAME_BYTES)), 0
    for n in sorted(set(range(50)) - {10, 11, 30}):
        heard += sum(len(inbound.push(packet)) for packet in arrivals.push(n, n * 960, silence, n * 0.02))
    assert heard // 2 == 24_000  # samples of a second
    hand = Hand(media=True)
    hand.silence(960)
    assert hand.turn().one("input_audio_buffer.speech_started")["audio_start_ms"] == 660


# Large events ---------------------------------------------------------------------------------------


class Channel:
    """As much of a data channel as is written to."""

    readyState = "open"
    bufferedAmount = 0

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def on(self, *_: Any) -> None: ...

    def send(self, text: str) -> None:
        self.sent.append(json.loads(text))


@row("W-12")
@pytest.mark.parametrize(("size", "limit"), [(64 * 1024, 65_536), (256 * 1024, 262_144)])
async def test_an_event_that_is_too_large_loses_its_sound_or_is_named(size, limit):
    events, channel = Events(Ga(), limit, lambda: "event_1"), Channel()
    events.attach(channel, lambda message: None, lambda: None)  # type: ignore[arg-type]
    content = [{"type": "output_audio", "transcript": "hello", "audio": "A" * size}]
    item = {"id": "item_1", "content": content}
    await events.send(Frame("conversation.item.retrieved", {"type": "conversation.item.retrieved", "item": item}))
    await events.send(Frame("session.updated", {"type": "session.updated", "session": {"instructions": "x" * size}}))
    retrieved, error = channel.sent
    assert retrieved["item"]["content"] == [{"type": "output_audio", "transcript": "hello"}]
    assert (error["type"], error["error"]["code"]) == ("error", "event_too_large")


@row("W-12")
async def test_instructions_of_48_kilobytes_pass_both_ways():
    async with placed() as (caller, _served, _call_id):
        await caller.event()
        caller.say(type="session.update", session={"type": "realtime", "instructions": "x" * 48_000})
        assert len((await caller.event())["session"]["instructions"]) == 48_000


# Beside the call ------------------------------------------------------------------------------------


@row("O-04", "W-15")
async def test_sidebands_hear_speak_and_leave():
    async with house() as at:
        call_id = (await at.call()).headers["location"].rpartition("/")[2]
        client, answerer = at.calls.lines[0], at.backend.lines[0]
        await client.next_sent()
        async with connect(f"{at.ws}?call_id={call_id}") as one, connect(f"{at.ws}?call_id={call_id}") as two:
            for socket in (one, two):
                created = await event(socket)
                assert (created["type"], created["session"]["type"]) == ("session.created", "realtime")
            await one.send('{"type":"response.create"}')
            assert (await answerer.next_sent()).type == "response.create"
            answerer.arrive(Frame("response.created", {"type": "response.created", "response": {"id": "resp_1"}}))
            for socket in (one, two):
                assert (await event(socket))["type"] == "response.created"
            await one.close()
            client.arrive(Frame("response.cancel", {"type": "response.cancel"}))
            assert (await answerer.next_sent()).type == "response.cancel"
            assert not at.empty
            client.hang_up()
            assert (await ended(two))[0] == 1000


@row("W-14")
async def test_hangup_ends_the_call_and_its_sidebands():
    async with placed() as (caller, served, call_id), connect(f"{served.ws}?call_id={call_id}") as sideband:
        await until(sideband, "session.created")
        async with httpx.AsyncClient(base_url=served.http, timeout=20) as http:
            answer = await http.post(f"/v1/realtime/calls/{call_id}/hangup")
        assert answer.status_code == 200
        assert (await ended(sideband))[0] == 1000
        await asyncio.wait_for(caller.closed.wait(), 10)
        assert len(served.service.registry) == 0


@row("W-14")
async def test_a_caller_that_goes_ends_its_call():
    async with placed() as (caller, served, call_id):
        await caller.event()
        live = served.service.registry.find(call_id)
        assert live is not None
        await caller.close()
        await asyncio.wait_for(live.gone.wait(), 20)
