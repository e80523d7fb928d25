"""Turns that are put into words while they are spoken: what a recogniser is fed, and what comes of it."""

import asyncio

import numpy as np
import pytest

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, FakeStreamingStt, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.engine.hearings import MOST
from vivavoce.models.interfaces import ModelError

TOLD = {"transcription": {"model": "whisper-1"}}
SILENCE_500 = {
    "audio": {"input": TOLD | {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}},
}
COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def ms(pcm: list[bytes]) -> list[int]:
    return [len(each) // 32 for each in pcm]


def loud_ms(pcm: list[bytes]) -> float:
    samples = np.frombuffer(b"".join(pcm), "<i2")
    return float(np.count_nonzero(np.abs(samples) > 100)) / 16


@virtual_time
async def test_a_turn_is_fed_as_it_is_spoken_in_batches_and_silence_is_not():
    stt = FakeStreamingStt("hello")
    async with session(senses(stt=stt, llm=FakeLlm(says("Hi."))), config=SILENCE_500) as hand:
        await hand.live(bytes(48 * 3000) + tone(2000))
        spoken = asyncio.get_running_loop().time()
        (hearing,) = stt.heard
        assert 1850 <= sum(ms(hearing.fed)) - 300 <= 2000, "all but the latest batch, with the padding before it"
        await hand.live(bytes(48 * 3000))
        assert (await hand.until(COMPLETED))["transcript"] == "hello"
    assert min(ms(hearing.fed)[:-1]) >= 159
    assert 2300 + 96 <= sum(ms(hearing.fed)) <= 2300 + 160, "no more of the silence than makes a pause of it"
    assert hearing.times[-1] - spoken < 0.16
    assert len(stt.asked) == 1
    assert hearing.state == "cancelled"


@virtual_time
async def test_who_goes_on_is_heard_on_and_of_a_long_pause_little():
    stt = FakeStreamingStt("tell me", "tell me more", delay=0.05)
    async with session(senses(stt=stt, llm=FakeLlm(says("Yes."), says("Yes.")))) as hand:
        await hand.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}, **TOLD}})
        await hand.live(tone(600) + bytes(48 * 900) + tone(600) + bytes(48 * 3000))
        assert (await hand.until(COMPLETED))["transcript"] == "tell me more"
    (hearing,) = stt.heard
    assert sum(ms(hearing.fed)) <= 600 + 160 + 330 + 600 + 160
    assert loud_ms(hearing.fed) == pytest.approx(loud_ms([tone(1200, 16_000)]), rel=0.02)
    assert hand.types.count("input_audio_buffer.speech_started") == 1


@pytest.mark.parametrize("lost_after", [0.0, 0.5, 1.2])
@virtual_time
async def test_of_a_hearing_that_is_lost_no_word_is(lost_after: float):
    stt = FakeStreamingStt(*["all of it"] * 4, lost_after=lost_after)
    async with session(senses(stt=stt, llm=FakeLlm(*[says("Yes.")] * 3)), config=SILENCE_500) as hand:
        await hand.live(tone(600) + bytes(48 * 300) + tone(600) + bytes(48 * 600))
        assert (await hand.until(COMPLETED))["transcript"] == "all of it"
    assert len(stt.asked[-1].pcm) // 32 > 1500, "the whole turn"
    assert len(stt.heard) == 1, "not tried again in the same turn"


@virtual_time
async def test_a_recogniser_that_falls_behind_is_let_be():
    stt = FakeStreamingStt("all of it", feeding=3600)
    async with session(senses(stt=stt, llm=FakeLlm(says("Yes.")))) as hand:
        await hand.update(audio={"input": TOLD})
        await hand.live(tone(25_000))
        assert stt.heard[0].state == "cancelled"
        await hand.live(bytes(48 * 400))
        assert (await hand.until(COMPLETED))["transcript"] == "all of it"


@virtual_time
async def test_what_would_fail_at_the_end_too_is_told_and_not_tried_again():
    stt = FakeStreamingStt(ModelError("English only."))
    async with session(senses(stt=stt, llm=FakeLlm(says("Yes."))), config=SILENCE_500) as hand:
        await hand.live(tone(600) + bytes(48 * 600))
        failed = await hand.until("conversation.item.input_audio_transcription.failed")
    assert failed["error"]["message"] == "English only."


@virtual_time
async def test_a_turn_that_is_cleared_and_a_session_that_ends_leave_no_hearing():
    stt = FakeStreamingStt()
    async with session(senses(stt=stt)) as hand:
        await hand.live(tone(600))
        await hand.say("input_audio_buffer.clear")
        await hand.live(bytes(48 * 200))
        assert [hearing.state for hearing in stt.heard] == ["cancelled"]
        await hand.live(tone(600))
        assert stt.heard[-1].state == "running"
    assert [hearing.state for hearing in stt.heard] == ["cancelled", "cancelled"]


@virtual_time
async def test_a_session_has_only_so_many_hearings():
    stt = FakeStreamingStt(*["late"] * 10, delay=60)
    async with session(senses(stt=stt)) as hand:
        await hand.update(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}})
        for _ in range(MOST + 2):
            await hand.live(tone(600) + bytes(48 * 400))
        assert len(stt.heard) == MOST
        assert len(stt.asked) == MOST + 2


@virtual_time
async def test_words_that_are_sure_are_told_once_the_item_is_there():
    stt = FakeStreamingStt("one two", "one two three", delay=0.3, sure="one two")
    async with session(senses(stt=stt, llm=FakeLlm(says("Yes."))), config=SILENCE_500) as hand:
        await hand.live(tone(600) + bytes(48 * 400) + tone(600) + bytes(48 * 60))
        await hand.say("input_audio_buffer.commit")
        first, rest = await hand.until(DELTA), await hand.until(DELTA)
        assert (await hand.until(COMPLETED))["transcript"] == first["delta"] + rest["delta"] == "one two three"
    assert hand.types.index("conversation.item.done") < hand.types.index(DELTA)
    assert first["delta"] == "one two"
