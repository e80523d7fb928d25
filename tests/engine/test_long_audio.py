"""Minutes of audio in one event."""

import asyncio

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, FakeStt, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.protocol.frame import APPEND, Frame

MINUTE = tone(1000) + bytes(48 * 59_000)


@virtual_time
async def test_it_is_heard_like_any_other_and_others_are_not_kept_waiting():
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    given = senses(stt=FakeStt("hello"), llm=FakeLlm(says("Hello.")))
    async with session(given) as hand, asyncio.TaskGroup() as group:
        beside = group.create_task(another())
        await hand.line.send(Frame(APPEND, {"type": APPEND}, MINUTE))
        before_the_answer = turns
        stopped = await hand.until("input_audio_buffer.speech_stopped")
        await hand.until("response.done")
        beside.cancel()
    assert 1000 <= stopped["audio_end_ms"] <= 1300
    assert before_the_answer >= 60


@virtual_time
async def test_half_a_sample_at_its_end_refuses_all_of_it():
    async with session(senses()) as hand:
        await hand.line.send(Frame(APPEND, {"type": APPEND, "event_id": "mine"}, MINUTE + b"\0"))
        error = (await hand.until("error"))["error"]
        assert (error["param"], error["event_id"]) == ("audio", "mine")
        await hand.say("input_audio_buffer.commit")
        assert (await hand.until("error"))["error"]["code"] == "input_audio_buffer_commit_empty"
        assert "input_audio_buffer.speech_started" not in hand.types
