"""Where the time of a turn went: stage by stage, and all of it."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.support import Hand, senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.engine.budget import STAGES, Budget
from vivavoce.protocol.frame import PLAYED, Frame

SILENCE_500 = {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}}}
DELTA = "response.output_audio.delta"


@given(st.lists(st.one_of(st.none(), st.floats(0, 30)), min_size=5, max_size=5))
def test_the_stages_add_up(reached: list[float | None]):
    budget = Budget("item_1", 100.0)
    for stage, at in zip(STAGES, reached, strict=True):
        budget.mark(stage, None if at is None else 100.0 + at)
    told = budget.told({})
    assert sum(told["stages"].values()) == told["total"] == max(told["at"].values(), default=0)
    assert all(added >= 0 for added in told["stages"].values())


def models(*texts: str) -> Any:
    """As long as usual: 80 ms for words, 150 for a mind to begin, 100 for a voice."""
    return senses(
        stt=FakeStt(*(texts or ("hello",)), delay=0.08), llm=FakeLlm(*[says("Hi.", pause=0.15)] * 9),
        tts=FakeTts(delay=0.1),
    )  # fmt: skip


async def told(hand: Hand, pcm: bytes = b"") -> dict[str, Any]:
    speaking = asyncio.create_task(hand.live(pcm))
    await hand.until(DELTA)
    await speaking
    await hand.until("response.done")
    await hand.say("input_audio_buffer.clear")  # what observers are told comes behind what was waiting already
    await hand.until("input_audio_buffer.cleared")
    (frame,) = hand.turns
    return dict(frame.data)


@virtual_time
async def test_what_is_made_in_the_silence_adds_nothing():
    async with session(models(), config=SILENCE_500) as hand:
        turn = await told(hand, tone(400) + bytes(48 * 560))
    assert turn["stages"] == {"decided": turn["total"]} | dict.fromkeys(STAGES[1:], 0)
    assert 500 <= turn["total"] <= 560
    assert turn["at"]["recognised"] < turn["at"]["first_token"] < turn["at"]["first_audio"] < 500
    assert turn["discarded"]["drafts"] == 0


@virtual_time
async def test_without_speculation_each_stage_is_waited_for():
    async with session(models(), config=SILENCE_500, early=False) as hand:
        turn = await told(hand, tone(400) + bytes(48 * 560))
    assert turn["stages"]["first_token"] >= 150 - 40  # recognition has begun in the silence all the same
    assert 99 <= turn["stages"]["first_audio"] <= 101
    assert sum(turn["stages"].values()) == turn["total"]


@virtual_time
async def test_a_speaker_who_went_on_has_cost_a_draft():
    async with session(models("tell me", "tell me more"), config=SILENCE_500) as hand:
        turn = await told(hand, tone(400) + bytes(48 * 450) + tone(400) + bytes(48 * 560))
    discarded = turn["discarded"]
    assert (discarded["drafts"], discarded["characters"]) == (1, 3)
    assert discarded["seconds"] == pytest.approx(0.1)
    assert 0.4 < discarded["recognised_seconds"] < 0.8


@virtual_time
async def test_on_a_call_the_first_packet_is_the_tracks():
    async with session(models(), media=True, config=SILENCE_500) as hand:
        await hand.live(tone(400) + bytes(48 * 560))
        item = (await hand.until(DELTA))["item_id"]
        await asyncio.sleep(0.25)
        await hand.line.send(Frame(PLAYED, {"type": PLAYED, "item_id": item, "audio_ms": 100, "drained": True}))
        await hand.until("output_audio_buffer.stopped")
        (frame,) = hand.turns
    assert 250 - 80 - 40 <= frame.data["stages"]["first_packet"] <= 250 - 80 + 40
    assert sum(frame.data["stages"].values()) == frame.data["total"]


@virtual_time
async def test_by_hand_the_time_begins_with_the_commit():
    async with session(models(), config={"audio": {"input": {"turn_detection": None}}}) as hand:
        await hand.live(tone(400))
        await hand.say("input_audio_buffer.commit")
        await hand.say("response.create")
        turn = await told(hand)
    assert turn["stages"] == {"decided": 0, "recognised": 80, "first_token": 150, "first_audio": 100, "first_packet": 0}


@virtual_time
async def test_an_answer_to_something_else_is_not_timed():
    async with session(models(), config=SILENCE_500) as hand:
        await hand.say("conversation.item.create", item={
            "type": "message", "role": "user", "content": [{"type": "input_text", "text": "typed"}],
        })  # fmt: skip
        await hand.say("response.create")
        await hand.until("response.done")
        assert hand.turns == []
