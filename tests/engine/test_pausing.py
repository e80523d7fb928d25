"""What is made of a pause: by words, by sound, and where there is neither."""

import asyncio
from typing import Any

import pytest

from tests.engine.support import Hand, senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.engine.pausing import weighed
from vivavoce.engine.recognition import MAX_OPINIONS
from vivavoce.models.interfaces import Finish, ModelError, Said

SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
STOPPED = "input_audio_buffer.speech_stopped"


class FakeTurn:
    rate, seconds = 16_000, 8

    def __init__(self, *opinions: float | Exception) -> None:
        self.opinions = iter(opinions)
        self.asked: list[int] = []

    async def finished(self, pcm: bytes) -> float:
        self.asked.append(len(pcm) // 32)
        opinion = next(self.opinions)
        if isinstance(opinion, Exception):
            raise opinion
        return opinion

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    ("words", "sound", "expected"),
    [
        (None, None, 0.5),
        (None, 0.9, 0.9),
        ("the time in london", None, 0.75),
        ("the time in london", 0.0, 0.3),
        ("the time in london", 1.0, 0.9),
        ("my number is five five", 0.9, 0.2),  # a half number sounds like a whole one
        ("i would like to", 0.9, 0.05),
        ("yes", 0.1, 0.5),
    ],
)
def test_words_and_sound_are_weighed(words, sound, expected):
    assert weighed(words, sound, None) == pytest.approx(expected)


async def silence_until_stopped(hand: Hand, *phrases: float) -> float:
    """Phrases of so many milliseconds with half a second between them; how long the last silence was, in ms."""
    for index, ms in enumerate(phrases):
        await hand.live((bytes(48 * 500) if index else b"") + tone(ms))
    began = asyncio.get_running_loop().time()
    speaking = asyncio.create_task(hand.live(bytes(48 * 5000)))
    await hand.until(STOPPED)
    speaking.cancel()
    return (asyncio.get_running_loop().time() - began) * 1000


@pytest.mark.parametrize(
    ("words", "sound", "least", "most"),
    [
        ("the time in london", None, 590, 680),
        ("the time in london", 0.9, 590, 680),
        ("the time in london", 0.0, 1900, 2050),
        ("the time in london", "busy", 590, 680),
        ("i would like to", 0.9, 3600, 3800),
        (None, None, 590, 680),
    ],
)
@virtual_time
async def test_how_long_is_waited(words, sound, least, most):
    texts = [ModelError("deaf") if words is None else words] * 2  # made here: an exception keeps the frames it passed
    given = senses(stt=FakeStt(*texts, delay=0.08), llm=FakeLlm(*[says("Yes.")] * 3))
    given.turn = None if sound is None else FakeTurn(ModelError(sound) if sound == "busy" else sound)
    async with session(given, config=SEMANTIC) as hand:
        assert least <= await silence_until_stopped(hand, 400) <= most


@virtual_time
async def test_a_model_of_turns_is_given_the_last_seconds_and_a_little_silence():
    given = senses(stt=FakeStt("one", "one two", delay=0.08), llm=FakeLlm(*[says("Yes.")] * 3))
    turn = given.turn = FakeTurn(0.1, 0.9)
    async with session(given, config=SEMANTIC) as hand:
        await silence_until_stopped(hand, 400, 400)
    first, second = turn.asked
    assert 400 + 96 + 100 <= first <= 400 + 160 + 100
    assert second > first + 900 - 64


@virtual_time
async def test_a_long_turn_is_asked_about_by_its_last_words():
    stt = FakeStt(*["and so it goes on and"] * 20, delay=0.05)
    async with session(senses(stt=stt, llm=FakeLlm(says("Yes."))), config=SEMANTIC) as hand:
        for _ in range(MAX_OPINIONS + 2):
            await hand.live(tone(2000) + bytes(48 * 400))
        await hand.live(bytes(48 * 5000))
        await hand.until("response.done")
    lengths = [round(len(asked.pcm) / 32_000) for asked in stt.asked]
    assert max(lengths[:-1]) <= 10
    assert lengths[-1] > 30, "the turn itself is put into words as a whole"
    assert len(lengths) == MAX_OPINIONS + 1


@virtual_time
async def test_few_drafts_are_made_in_a_turn_of_many_pauses():
    llm = FakeLlm(*[says("Yes.")] * 20)
    turn_detection = {"type": "semantic_vad", "eagerness": "low"}
    async with session(
        senses(stt=FakeStt(*["tell me more"] * 20), llm=llm),
        config={"audio": {"input": {"turn_detection": turn_detection}}},
    ) as hand:
        for _ in range(6):
            await hand.live(tone(300) + bytes(48 * 300))
        await hand.live(bytes(48 * 2000))
        await hand.until("response.done")
        await hand.say("input_audio_buffer.clear")
        await hand.until("input_audio_buffer.cleared")
        assert len(llm.asked) == 4, "three drafts, and the answer"
        (frame,) = hand.turns
    assert frame.data["discarded"]["drafts"] == 3


# Models that fall silent ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "who"),
    [
        ({"llm": FakeLlm([3600.0, Said("Late."), Finish()])}, "The mind"),
        ({"llm": FakeLlm([Said("One. "), 3600.0, Said("Late.")])}, "The mind"),
        ({"llm": FakeLlm(says("Hello.")), "tts": FakeTts(delay=3600)}, "The voice"),
        ({"llm": FakeLlm(says("Hello you.")), "tts": FakeTts(chunk_delay=3600)}, "The voice"),
    ],
)
@virtual_time
async def test_a_model_that_falls_silent_ends_its_answer(given: dict[str, Any], who: str):
    async with session(senses(**given)) as hand:
        await hand.say("response.create")
        response = (await hand.until("response.done"))["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["message"].startswith(who)


@virtual_time
async def test_a_client_that_does_not_read_is_not_the_models_fault():
    async with session(senses(llm=FakeLlm(says("word " * 300)), tts=FakeTts(word_ms=400))) as hand:
        await hand.say("response.create")
        await asyncio.sleep(600)
        assert (await hand.until("response.done"))["response"]["status"] == "completed"
