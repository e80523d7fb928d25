"""The server's tools in a call that we carry, on virtual time: what sounds belongs to the client's one response."""

import asyncio
from typing import Any

from tests.sessions.test_fillers import FILLER, transcripts
from tests.sessions.test_tools import BOTH, calls, never, slow, thinking
from tests.support.fake_models import says, tone
from tests.support.tool_sessions import ToolHand, serving_tools, tool, tools_agent
from tests.support.virtual_time import virtual_time
from vivavoce.protocol.frame import AUDIO_DELTA, FLUSH, PLAYED, Frame


async def play(hand: ToolHand, until: str) -> dict[str, Any]:
    """Listens as a track does, at the pace of speech, until an event of that type."""
    while True:
        frame = await hand.line.receive()
        hand.seen.append(frame)
        if frame.type == AUDIO_DELTA:
            item_id, ms = frame.data["item_id"], len(frame.audio or b"") // 48
            await asyncio.sleep(ms / 1000)
            heard = sum(len(each.audio or b"") // 48 for each in hand.seen if each.data.get("item_id") == item_id)
            told = {"item_id": item_id, "audio_ms": heard, "drained": True}
            await hand.line.send(Frame(PLAYED, told))
        if frame.type == until:
            return dict(frame.data)


@BOTH
@virtual_time
async def test_all_that_sounds_is_of_one_response(answers):
    given = thinking(calls("weather", first="I look."), says("One moment."), says("It is sunny."))
    async with serving_tools(
        given, tool("weather", slow(8.0)), who=tools_agent(filler=FILLER), answers=answers, media=True
    ) as hand:
        await hand.write("How is the weather?")
        done = (await play(hand, "response.done"))["response"]
        while len(hand.of("output_audio_buffer.stopped")) < len(hand.of("output_audio_buffer.started")):
            await play(hand, "output_audio_buffer.stopped")
    assert transcripts(done) == ["I look.", "One moment.", "It is sunny."]
    buffers = hand.of("output_audio_buffer.started", "output_audio_buffer.stopped", "output_audio_buffer.cleared")
    assert len(buffers) >= 2
    assert {event["response_id"] for event in buffers} == {done["id"]}


@BOTH
@virtual_time
async def test_a_caller_who_goes_on_over_a_phrase_hears_silence_and_the_track_is_told_to_end(answers):
    long = says("One moment please while I look for it everywhere.", pause=0.4)
    given = thinking(calls("weather"), long, says("Yes?"), heard="stop")
    async with serving_tools(
        given, tool("weather", never), who=tools_agent(filler=FILLER), answers=answers, media=True
    ) as hand:
        await hand.write("How is the weather?")
        await hand.until(AUDIO_DELTA)
        await hand.hear(tone(500))
        await hand.until("input_audio_buffer.speech_started")
        assert FLUSH in hand.types
        await hand.hear(bytes(48 * 900))
        cancelled = (await play(hand, "response.done"))["response"]
        answer = (await play(hand, "response.done"))["response"]
        await play(hand, "output_audio_buffer.stopped")
    assert cancelled["status_details"]["reason"] == "turn_detected"
    assert transcripts(answer) == ["Yes?"]
    ended = hand.of("output_audio_buffer.stopped", "output_audio_buffer.cleared")
    assert len(ended) == len(hand.of("output_audio_buffer.started"))
