"""What a media track needs, between a call of ours and an upstream's WebSocket: one list of events in, one out."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from tests.support.leaks import no_leaks
from tests.support.lines import MemoryLine
from vivavoce.backends.upstream.bridge import Bridge, without_formats
from vivavoce.backends.upstream.line import UpstreamLine
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, PLAYED, Closed, Frame

SECOND = bytes(48_000)
TRUNCATE = "conversation.item.truncate"


class Staged:
    def __init__(self) -> None:
        self.upstream = MemoryLine()
        numbers = count(1)
        line = UpstreamLine(self.upstream, new_id=lambda: f"ours_{next(numbers)}")
        self.bridge = Bridge.open(line, lambda prefix: f"{prefix}_{next(numbers)}")

    def tell(self, type: str, audio: bytes | None = None, **data: Any) -> None:
        self.upstream.arrive(Frame(type, {"type": type, **data}, audio))

    def begin(self, response: str = "resp_1", conversation: str | None = "conv_1") -> None:
        self.tell("response.created", response={"id": response, "conversation_id": conversation})

    def sound(self, seconds: int = 1, response: str = "resp_1", item: str = "item_1") -> None:
        for _ in range(seconds):
            self.tell(AUDIO_DELTA, SECOND, response_id=response, item_id=item)

    def done(self, response: str = "resp_1") -> None:
        self.tell("response.done", response={"id": response})

    async def play(self, ms: int, item: str = "item_1", drained: bool = False) -> None:
        await self.bridge.send(Frame(PLAYED, {"type": PLAYED, "item_id": item, "audio_ms": ms, "drained": drained}))

    async def told(self, count: int) -> list[str]:
        """The types of the next events to the client."""
        async with asyncio.timeout(5):
            return [(await self.bridge.receive()).type for _ in range(count)]

    async def sent(self) -> dict[str, Any]:
        """The next event to the upstream."""
        return dict((await self.upstream.next_sent()).data)

    def nothing_sent(self) -> bool:
        return self.upstream.sent.empty()


@pytest.fixture
async def staged() -> AsyncIterator[Staged]:
    async with no_leaks():
        staged = Staged()
        yield staged
        await staged.bridge.close()
        assert staged.upstream.closed


STARTED, STOPPED, CLEARED = (f"output_audio_buffer.{what}" for what in ("started", "stopped", "cleared"))


async def test_what_sounds_is_told_and_when_it_has_stopped(staged):
    staged.begin()
    staged.sound(2)
    assert await staged.told(4) == ["response.created", AUDIO_DELTA, STARTED, AUDIO_DELTA]
    staged.done()
    assert await staged.told(1) == ["response.done"]
    await staged.play(1000)
    await staged.play(2000, drained=True)
    stopped = await staged.bridge.receive()
    assert (stopped.type, stopped.data["response_id"]) == (STOPPED, "resp_1")
    assert staged.nothing_sent()


async def test_a_track_that_has_run_dry_in_the_middle_of_an_answer_has_not_stopped(staged):
    staged.begin()
    staged.sound()
    await staged.told(3)
    await staged.play(1000, drained=True)
    staged.done()
    assert await staged.told(2) == ["response.done", STOPPED]


async def test_an_interruption_silences_first_and_tells_the_upstream_what_was_heard(staged):
    """The upstream had made all of it long ago, and cancels nothing (O-39)."""
    staged.begin()
    staged.sound(4)
    staged.done()
    await staged.told(7)
    await staged.play(1500)
    staged.tell("input_audio_buffer.speech_started", item_id="item_2")
    flush = await staged.bridge.receive()
    assert (flush.type, flush.data["item_id"]) == (FLUSH, "item_1")
    assert await staged.told(2) == ["input_audio_buffer.speech_started", CLEARED]
    cut = await staged.sent()
    assert (cut["type"], cut["item_id"], cut["content_index"], cut["audio_end_ms"]) == (TRUNCATE, "item_1", 0, 1500)
    staged.tell("conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=1500)
    assert await staged.told(1) == ["conversation.item.truncated"]
    assert staged.nothing_sent()


async def test_what_comes_late_of_an_answer_that_was_spoken_over_is_not_heard(staged):
    staged.begin()
    staged.sound()
    staged.tell("input_audio_buffer.speech_started", item_id="item_2")
    staged.sound(2)
    staged.tell("response.output_audio.done", response_id="resp_1", item_id="item_1")
    staged.done()
    told = await staged.told(8)
    assert told[3:] == [
        FLUSH, "input_audio_buffer.speech_started", CLEARED, "response.output_audio.done", "response.done",
    ]  # fmt: skip
    assert (await staged.sent())["audio_end_ms"] == 0
    staged.begin("resp_2")
    staged.sound(1, "resp_2", "item_3")
    assert await staged.told(3) == ["response.created", AUDIO_DELTA, STARTED]


async def test_a_session_that_is_not_to_be_interrupted_goes_on(staged):
    detection = {"type": "server_vad", "interrupt_response": False}
    staged.tell("session.updated", session={"audio": {"input": {"turn_detection": detection}}})
    staged.begin()
    staged.sound()
    staged.tell("input_audio_buffer.speech_started", item_id="item_2")
    assert (await staged.told(5))[3:] == [STARTED, "input_audio_buffer.speech_started"]
    staged.tell("session.updated", session={"audio": {"input": {"turn_detection": {"type": "server_vad"}}}})
    staged.tell("input_audio_buffer.speech_started", item_id="item_2")
    assert await staged.told(3) == ["session.updated", FLUSH, "input_audio_buffer.speech_started"]


async def test_out_of_band_what_is_spoken_over_ends_and_nothing_is_cut(staged):
    """No item of the conversation holds it (O-29, O-33)."""
    staged.begin(conversation=None)
    staged.sound()
    staged.tell("input_audio_buffer.speech_started", item_id="item_2")
    await staged.told(6)
    cancel = await staged.sent()
    assert (cancel["type"], cancel["response_id"]) == ("response.cancel", "resp_1")
    assert staged.nothing_sent()


async def test_a_client_that_wants_silence_gets_it_here(staged):
    """The upstream's WebSocket would refuse output_audio_buffer.clear (E-12)."""
    staged.begin()
    staged.sound(3)
    await staged.told(5)
    await staged.play(700)
    await staged.bridge.send(Frame("output_audio_buffer.clear", {"type": "output_audio_buffer.clear"}))
    assert await staged.told(2) == [FLUSH, CLEARED]
    assert [(await staged.sent())["type"] for _ in range(2)] == ["response.cancel", TRUNCATE]
    assert staged.nothing_sent()


async def test_an_error_that_answers_an_event_of_ours_is_not_the_clients(staged):
    """Such as: the response that is to be cancelled has ended a moment before."""
    staged.begin()
    staged.sound()
    await staged.told(3)
    await staged.bridge.send(Frame("output_audio_buffer.clear", {"type": "output_audio_buffer.clear"}))
    await staged.told(2)
    cancel = await staged.sent()
    staged.tell("error", error={"code": "response_cancel_not_active", "event_id": cancel["event_id"]})
    staged.tell("error", error={"code": "invalid_value", "event_id": "the_clients"})
    error = await staged.bridge.receive()
    assert error.data["error"]["code"] == "invalid_value"


async def test_two_answers_in_a_row_are_cut_where_each_was(staged):
    staged.begin()
    staged.sound()
    staged.done()
    staged.begin("resp_2")
    staged.sound(1, "resp_2", "item_2")
    staged.done("resp_2")
    await staged.told(7)
    await staged.play(400)
    staged.tell("input_audio_buffer.speech_started", item_id="item_3")
    cuts = [await staged.sent() for _ in range(2)]
    assert [(cut["item_id"], cut["audio_end_ms"]) for cut in cuts] == [("item_1", 400), ("item_2", 0)]


async def test_sound_goes_in_and_formats_do_not(staged):
    """Between us and the upstream it is 24 kHz PCM, whatever a client asks for (S-12)."""
    await staged.bridge.send(Frame(APPEND, {"type": APPEND}, b"\1\2"))
    assert (await staged.upstream.next_sent()).audio == b"\1\2"
    audio = {"input": {"format": {"type": "audio/pcmu"}, "noise_reduction": None}, "output": {"voice": "cedar"}}
    update = {"type": "session.update", "session": {"type": "realtime", "audio": audio}}
    await staged.bridge.send(Frame("session.update", update))
    assert (await staged.sent())["session"] == {
        "type": "realtime", "audio": {"input": {"noise_reduction": None}, "output": {"voice": "cedar"}},
    }  # fmt: skip
    create = {"type": "response.create", "response": {"audio": {"output": {"format": {"type": "audio/pcma"}}}}}
    await staged.bridge.send(Frame("response.create", create))
    assert (await staged.sent())["response"] == {"audio": {"output": {}}}
    for odd in ({"audio": None}, {"audio": {"input": None}}, {}):
        assert without_formats(odd) == odd


async def test_its_end_is_the_upstreams(staged):
    staged.begin()
    staged.upstream.hang_up(1001, "Your session hit the maximum duration of 60 minutes.")
    assert await staged.told(1) == ["response.created"]
    with pytest.raises(Closed) as closed:
        await staged.bridge.receive()
    assert closed.value.code == 1001
