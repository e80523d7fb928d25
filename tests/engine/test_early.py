"""Answers begun in a pause, and words found while they are spoken: sooner, and with the same events as without."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.support import Senses, senses, session
from tests.support.fake_models import FakeLlm, FakeStreamingStt, FakeStt, FakeTts, Script, says, tone
from tests.support.virtual_time import run_virtual, virtual_time
from vivavoce.models.interfaces import Call, CallArguments, Finish, ModelError
from vivavoce.protocol.frame import Frame

SILENCE_500 = {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}}}

COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


class Knowing(FakeLlm):
    """Answers by what it was asked, so that a draft more or less changes nothing."""

    def __init__(self, script: Script) -> None:
        super().__init__(*[script] * 50)


class Listener(FakeStt):
    """Knows the words by how much voice it hears."""

    rate = 24_000  # that of the session, so that no resampling blurs it

    def __init__(self, delay: float, **streaming: Any) -> None:
        super().__init__(delay=delay, **streaming)

    async def transcribe(self, pcm: bytes, hints: Any) -> Any:
        self._texts = iter([f"heard {np.count_nonzero(np.frombuffer(pcm, np.int16)) // 4000}"])
        return await super().transcribe(pcm, hints)


class StreamingListener(Listener, FakeStreamingStt): ...


@virtual_time
async def test_the_first_sound_is_there_when_the_turn_ends():
    models = senses(stt=FakeStt("hello", delay=0.08), llm=FakeLlm(says("Hi.", pause=0.1)), tts=FakeTts(delay=0.1))
    async with session(models, config=SILENCE_500) as hand:
        await hand.live(tone(400) + bytes(48 * 540))
        ended = asyncio.get_running_loop().time()
        await hand.until("response.output_audio.delta")
        assert asyncio.get_running_loop().time() - ended < 0.02


@virtual_time
async def test_without_it_recognition_mind_and_voice_come_after_the_silence():
    models = senses(stt=FakeStt("hello", delay=0.08), llm=FakeLlm(says("Hi.", pause=0.1)), tts=FakeTts(delay=0.1))
    async with session(models, config=SILENCE_500, early=False) as hand:
        await hand.live(tone(400) + bytes(48 * 540))
        ended = asyncio.get_running_loop().time()
        await hand.until("response.output_audio.delta")
        assert asyncio.get_running_loop().time() - ended > 0.15


@virtual_time
async def test_a_speaker_who_goes_on_never_hears_of_the_draft():
    llm = FakeLlm(says("Too early."), says("In time."))
    async with session(senses(stt=FakeStt("tell me", "tell me more"), llm=llm), config=SILENCE_500) as hand:
        await hand.live(tone(400) + bytes(48 * 300) + tone(400) + bytes(48 * 560))
        done = await hand.until("response.done")
    assert done["response"]["output"][0]["content"][0]["transcript"] == "In time."
    assert hand.types.count("response.created") == 1
    assert [m.text for m in llm.asked[1].prompt.messages] == ["tell me more"]


@virtual_time
async def test_a_draft_for_another_prompt_is_not_used():
    llm = FakeLlm(says("Old."), says("New."))
    async with session(senses(stt=FakeStt("hello"), llm=llm), config=SILENCE_500) as hand:
        await hand.live(tone(400) + bytes(48 * 300))
        await hand.update(instructions="Speak like a pirate.")
        await hand.live(bytes(48 * 300))
        done = await hand.until("response.done")
    assert done["response"]["output"][0]["content"][0]["transcript"] == "New."


@virtual_time
async def test_a_draft_that_failed_is_tried_again_in_earnest():
    llm = FakeLlm([ModelError("busy")], says("Now it works."))
    async with session(senses(stt=FakeStt("hello"), llm=llm), config=SILENCE_500) as hand:
        await hand.live(tone(400) + bytes(48 * 560))
        assert (await hand.until("response.done"))["response"]["status"] == "completed"


@virtual_time
async def test_a_draft_makes_only_so_much_sound_in_advance():
    tts = FakeTts(word_ms=1000)
    llm = FakeLlm(says(" ".join(["word"] * 40)))
    async with session(senses(stt=FakeStt("hello"), llm=llm, tts=tts), config=SILENCE_500) as hand:
        await hand.live(tone(400) + bytes(48 * 400))
        assert len(tts.asked) == 1, "the first clause is eight seconds long already"
        await hand.live(bytes(48 * 200))
        await hand.until("response.done")
    assert len(hand.sound()) == 40 * 48_000


# With and without, the same ------------------------------------------------------------------------

Phrase = tuple[int, int, str]
"""Frames of speech, frames of pause, and what the client does in the pause."""
Turn = list[Phrase]
actions = st.sampled_from(["", "", "update", "text"])
turns = st.lists(
    st.lists(st.tuples(st.integers(5, 20), st.integers(1, 20), actions), min_size=1, max_size=3), min_size=1, max_size=2
)
answers = st.sampled_from(
    [
        lambda: says("Yes."),
        lambda: says("One two three four five six seven eight nine ten.", pause=0.05),
        lambda: [Call("look"), CallArguments("{}")],
        lambda: [*says("Wait."), Call("look"), CallArguments('{"a": 1}'), Finish("stop", 10, 5)],
        lambda: [ModelError("No.")],  # made anew each time: an exception keeps the frames it passed
    ]
)


async def play(script: list[Turn], models: Senses, early: bool) -> list[Any]:
    """Nobody speaks over an answer here: how much of it was made by then depends on when it was begun."""
    async with session(models, config=SILENCE_500, early=early) as hand:
        await hand.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        for turn in script:
            for speech, pause, action in turn:
                await hand.live(tone(20 * speech) + bytes(960 * pause))
                if action == "update":
                    await hand.update(instructions=f"After {pause}.")
                elif action == "text":
                    await hand.say("conversation.item.create", item=message([{"type": "input_text", "text": "typed"}]))
            await hand.live(bytes(48 * 600))
            await asyncio.sleep(30)
        await hand.say("input_audio_buffer.clear")
        await hand.until("input_audio_buffer.cleared")
        completed = "".join(frame.data["transcript"] for frame in hand.seen if frame.type == COMPLETED)
        assert completed == "".join(frame.data["delta"] for frame in hand.seen if frame.type == DELTA)
        return [told(frame) for frame in hand.seen if frame.type != DELTA]


def message(content: list[Any]) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": content}


def told(frame: Frame) -> Any:
    """What a client sees, but for ids."""
    return without_ids({**frame.data, "audio": frame.audio})


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_ids(each) for key, each in value.items() if key != "id" and not key.endswith("_id")}
    return [without_ids(each) for each in value] if isinstance(value, list) else value


ways = st.one_of(
    st.just(Listener),
    st.builds(
        lambda **how: partial(StreamingListener, sure="heard", **how),
        feeding=st.sampled_from([0.0, 0.3]),
        lost_after=st.sampled_from([0.0, 0.4, 1.0, 60.0]),
    ),
)
"""How it is recognised."""


@settings(max_examples=60, deadline=None)
@given(script=turns, answer=answers, delay=st.sampled_from([0.0, 0.1, 0.7]), way=ways, early=st.booleans())
def test_the_events_are_the_same_with_and_without(
    script: list[Turn], answer: Callable[[], Script], delay: float, way: Callable[[float], FakeStt], early: bool
):
    def play_with(stt: FakeStt, early: bool) -> list[Any]:
        return run_virtual(play(script, senses(stt=stt, llm=Knowing(answer()), tts=FakeTts(delay=0.05)), early))

    assert play_with(way(delay), early) == play_with(Listener(delay), early=False)
