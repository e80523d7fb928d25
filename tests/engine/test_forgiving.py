"""Sounds over an answer, with real timing: what the words of a short one decide."""

import asyncio

import pytest

from tests.engine.support import Hand, senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.engine.backchannel import echoes, wants_floor
from vivavoce.protocol.frame import HOLD, PLAYED, Frame

STARTED = "input_audio_buffer.speech_started"
ANSWER = says("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen.")


async def overheard(hand: Hand, ms: float, silence_ms: float = 1000) -> list[str]:
    """Two seconds into an answer, a sound of so many milliseconds; what came of it in the silence after."""
    await hand.say("response.create")
    await hand.until("rate_limits.updated")
    item = next(frame.data["item_id"] for frame in hand.seen if frame.audio)
    await hand.live(bytes(48 * 2000))
    played = {"item_id": item, "audio_ms": 2000, "drained": False}
    await hand.line.send(Frame(PLAYED, {"type": PLAYED, **played}))
    await hand.live(tone(ms) + bytes(round(48 * silence_ms)))
    before = len(hand.seen)
    await hand.say("input_audio_buffer.clear")
    await hand.until("input_audio_buffer.cleared")
    return [str(frame.data["on"]) if frame.type == HOLD else frame.type for frame in hand.seen[before:-1]]


@pytest.mark.parametrize("words", ["mhm", "", "uh huh", "right"])
@virtual_time
async def test_a_short_sound_pauses_the_answer_and_it_goes_on(words):
    models = senses(stt=FakeStt(words, delay=0.1), llm=FakeLlm(ANSWER), tts=FakeTts(word_ms=500))
    async with session(models, media=True, forgiving=True) as hand:
        assert await overheard(hand, 300) == ["True", "False"]


@pytest.mark.parametrize("words", ["stop", "no", "wait a second", "mhm but why"])
@virtual_time
async def test_a_short_word_that_wants_the_floor_gets_it(words):
    models = senses(stt=FakeStt(words, delay=0.1), llm=FakeLlm(ANSWER, says("Yes?")), tts=FakeTts(word_ms=500))
    async with session(models, media=True, forgiving=True) as hand:
        told = await overheard(hand, 300)
    assert told[:3] == ["True", "media.flush", STARTED]
    assert "conversation.item.truncated" in told
    assert "response.created" in told


@pytest.mark.parametrize(
    ("config", "forgiving", "detection"),
    [
        (None, True, ("semantic_vad", "high")),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}, True, ("server_vad", None)),
        (None, False, ("server_vad", None)),
    ],
)
@virtual_time
async def test_meaning_decides_when_a_turn_is_over_where_the_session_does_not_say(config, forgiving, detection):
    async with session(senses(), config=config, forgiving=forgiving) as hand:
        told = (await hand.until("session.created"))["session"]["audio"]["input"]["turn_detection"]
    assert (told["type"], told.get("eagerness")) == detection


@virtual_time
async def test_the_answers_own_words_are_an_echo():
    models = senses(stt=FakeStt("four five six"), llm=FakeLlm(ANSWER), tts=FakeTts(word_ms=500))
    async with session(models, media=True, forgiving=True) as hand:
        assert await overheard(hand, 300) == ["True", "False"]


@virtual_time
async def test_a_recogniser_that_is_late_does_not_keep_the_answer():
    models = senses(stt=FakeStt("stop", delay=60), llm=FakeLlm(ANSWER), tts=FakeTts(word_ms=500))
    async with session(models, media=True, forgiving=True) as hand:
        assert await overheard(hand, 300, silence_ms=1150) == ["True", "False"]
        assert STARTED not in hand.types


@virtual_time
async def test_the_first_voiced_frame_stops_the_answer_where_nobody_asked_for_forgiveness():
    models = senses(stt=FakeStt("hm"), llm=FakeLlm(ANSWER), tts=FakeTts(word_ms=500))
    async with session(models, media=True) as hand:
        await hand.say("response.create")
        await hand.until("response.done")
        await hand.live(bytes(48 * 2000))
        began = asyncio.get_running_loop().time()
        speaking = asyncio.create_task(hand.live(tone(300)))
        await hand.until(STARTED)
        assert asyncio.get_running_loop().time() - began <= 0.1
        await speaking


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("", False),
        ("mhm", False),
        ("Uh-huh.", False),
        ("yeah right", False),
        ("the", False),
        ("ja genau", False),
        ("stop", True),
        ("no", True),
        ("yeah but", True),
        ("yeah yeah yeah yeah yeah", True),
    ],
)
def test_which_words_want_the_floor(text, wants):
    assert wants_floor(text) is wants


@pytest.mark.parametrize(
    ("text", "same"),
    [("four five", True), ("four five hive", True), ("four", False), ("four hive dive", False), ("", False)],
)
def test_what_is_an_echo(text, same):
    assert echoes(text, "Three, four, five.") is same
