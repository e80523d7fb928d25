"""Words and sound stay together: each clause's words stand before its sound, and what is cut keeps what was heard."""

import asyncio
from itertools import groupby
from math import ceil

import pybase64
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.support import Hand, senses, session
from tests.support.fake_models import FakeLlm, FakeTts, says
from tests.support.virtual_time import run_virtual, virtual_time
from vivavoce.engine.unplayed import MAX_SAMPLES
from vivavoce.protocol.frame import PLAYED, Frame

WORD_MS = 200
CLAUSES = ["One, ", "two three four five. ", "Six seven eight nine ten eleven. ", "Twelve."]
WORDS, SOUND = "response.output_audio_transcript.delta", "response.output_audio.delta"


def spoken(hand: Hand) -> list[tuple[str, int]]:
    """Each clause that was told, with the milliseconds of sound between it and the next."""
    told: list[tuple[str, int]] = []
    for frame in hand.seen:
        if frame.type == WORDS:
            told.append((frame.data["delta"], 0))
        elif frame.type == SOUND:
            clause, ms = told[-1]
            told[-1] = (clause, ms + len(frame.audio or b"") // 48)
    return told


@virtual_time
async def test_the_words_of_a_clause_stand_before_its_sound():
    async with session(senses(llm=FakeLlm(says("".join(CLAUSES))), tts=FakeTts(word_ms=WORD_MS)), media=True) as hand:
        await hand.say("response.create")
        await hand.until("response.done")
    assert spoken(hand) == [(clause, WORD_MS * len(clause.split())) for clause in CLAUSES]
    kinds = [kind for kind, _ in groupby(frame.type for frame in hand.seen if frame.type in (WORDS, SOUND))]
    assert kinds == [WORDS, SOUND] * len(CLAUSES)


@virtual_time
async def test_words_are_no_further_ahead_of_a_listener_than_sound_is():
    """A minute of sound, played as a track does."""
    answer = "One two three four five six seven eight nine ten. " * 30
    async with session(senses(llm=FakeLlm(says(answer)), tts=FakeTts(word_ms=WORD_MS)), media=True) as hand:
        await hand.say("response.create")
        reading = asyncio.create_task(hand.until("response.done"))
        clause = 10 * WORD_MS
        for played in range(0, 50_000, 100):
            await asyncio.sleep(0.1)
            ahead = sum(ms or clause for _, ms in spoken(hand)) - played
            assert ahead <= MAX_SAMPLES / 24 + 2 * clause
            if item := next((frame.data["item_id"] for frame in hand.seen if frame.type == SOUND), None):
                data = {"item_id": item, "audio_ms": played + 100, "drained": False}
                await hand.line.send(Frame(PLAYED, {"type": PLAYED, **data}))
        await reading


async def cut(heard_ms: int) -> tuple[str, int]:
    """An answer that somebody speaks over once so much of it was heard: its words and milliseconds as they are kept."""
    async with session(senses(llm=FakeLlm(says("".join(CLAUSES))), tts=FakeTts(word_ms=WORD_MS)), media=True) as hand:
        await hand.say("response.create")
        await hand.until("response.done")
        item_id = next(frame.data["item_id"] for frame in hand.seen if frame.type == SOUND)
        data = {"item_id": item_id, "audio_ms": heard_ms, "drained": False}
        await hand.line.send(Frame(PLAYED, {"type": PLAYED, **data}))
        await hand.speak(100)
        await hand.until("conversation.item.truncated")
        await hand.say("conversation.item.retrieve", item_id=item_id)
        (content,) = (await hand.until("conversation.item.retrieved"))["item"]["content"]
        return content["transcript"], len(pybase64.b64decode(content.get("audio", ""))) // 48


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 12 * WORD_MS - 1))
def test_what_is_cut_keeps_exactly_the_words_that_were_heard(heard_ms: int):
    words, ms = run_virtual(cut(heard_ms))
    most_of = ceil(heard_ms / WORD_MS - 0.5)
    assert words.split() == "".join(CLAUSES).split()[:most_of]
    assert ms == heard_ms
