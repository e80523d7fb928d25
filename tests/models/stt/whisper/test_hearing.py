"""A turn that is heard while it is spoken, by the real libraries and a tiny model that hears tones."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from tests.engine.support import senses, session
from tests.support.tiny_whisper import spoken
from vivavoce.audio.resample import convert
from vivavoce.models.interfaces import Hearing, HearingLost, Hints, ModelError
from vivavoce.models.stt.whisper import hearing, queue
from vivavoce.models.stt.whisper.batch import Heard, Window
from vivavoce.models.stt.whisper.decoder import Decoder
from vivavoce.models.stt.whisper.stt import WhisperStt

SPEECH = spoken("no")


@pytest.fixture(autouse=True)
async def tireless(stt: WhisperStt, monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, it looks ahead all the time."""
    monkeypatch.setattr(queue, "LOOK", 1e9)
    monkeypatch.setattr(queue, "REST", 0.0)
    await stt.warm()


def spy(monkeypatch: pytest.MonkeyPatch) -> list[Window]:
    """Collects what is decoded."""
    seen: list[Window] = []
    decode = Decoder.decode

    def spied(self: Decoder, windows: Sequence[Window], wanted: Callable[[], bool]) -> list[Heard | ModelError]:
        seen.extend(windows)
        return decode(self, windows, wanted)

    monkeypatch.setattr(Decoder, "decode", spied)
    return seen


async def feed(stt: WhisperStt, hearing: Hearing, words: str) -> list[str]:
    """What is steady before each word, which is a second; what was asked about those before it was answered."""
    steady = []
    for word in words.split():
        await hearing.feed(spoken(word))
        await stt.transcribe(SPEECH, Hints("en"))
        steady.append(hearing.steady)
    return steady


async def test_words_become_steady_as_they_are_spoken_and_a_turn_goes_on_after_a_pause(stt: WhisperStt):
    async with stt.hear(Hints("en")) as hearing:
        assert await feed(stt, hearing, "what time is it") == ["", "", "what", "what time"]
        assert (await hearing.words()).text == "what time is it"
        assert hearing.steady == "what time is it", "two decodes in a row found it"
        await feed(stt, hearing, "in Paris .")
        heard = await hearing.words()
    assert heard.text == "what time is it in Paris."
    assert heard.logprobs is not None
    assert "".join(each.token for each in heard.logprobs).strip() == heard.text


async def test_silence_has_no_words_and_costs_no_decode(stt: WhisperStt, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Decoder, "decode", None)
    async with stt.hear(Hints()) as hearing:
        await hearing.feed(bytes(3 * len(SPEECH)))
        assert (await hearing.words()).text == ""


async def test_what_a_session_hints_at_reaches_each_decode(stt: WhisperStt, monkeypatch: pytest.MonkeyPatch):
    seen = spy(monkeypatch)
    async with stt.hear(Hints("de-AT", "Paris")) as turn:
        await turn.feed(SPEECH)
        await turn.words()
    assert {(window.language, window.prompt) for window in seen} == {("de-AT", "Paris")}


async def test_the_pause_behind_the_last_word_is_not_decoded(stt: WhisperStt, monkeypatch: pytest.MonkeyPatch):
    seen = spy(monkeypatch)
    async with stt.hear(Hints("en")) as turn:
        await turn.feed(spoken("no _ _ _"))
        assert (await turn.words()).text == "no"
    assert len(seen[-1].pcm) < len(spoken("no _"))


async def test_a_slow_machine_is_asked_in_pauses_alone(stt: WhisperStt, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queue, "LOOK", 0.0)
    async with stt.hear(Hints("en")) as turn:
        assert await feed(stt, turn, "what time is it") == [""] * 4
        assert (await turn.words()).text == "what time is it"


async def test_of_a_long_turn_only_the_last_sentence_is_decoded_again(stt: WhisperStt, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "MUCH", 6 * len(SPEECH))
    seen = spy(monkeypatch)
    said = "it is in Paris . what time is it in Paris ."
    async with stt.hear(Hints("en")) as turn:
        await feed(stt, turn, said)
        heard = await turn.words()
    assert heard.text == said.replace(" .", ".")
    assert heard.logprobs is not None
    assert len(heard.logprobs) == len(said.split())
    assert len(seen[-1].pcm) < 8 * len(SPEECH), "the first sentence has gone"


async def test_what_it_is_never_sure_of_is_left_to_be_recognised_whole(
    stt: WhisperStt, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hearing, "LONGEST", 2 * len(SPEECH))
    async with stt.hear(Hints("en")) as turn:
        await turn.feed(SPEECH)
        with pytest.raises(HearingLost, match="no word in half a minute"):
            await turn.feed(2 * SPEECH)


async def test_a_language_that_it_has_not_is_said_when_its_words_are_wanted(stt: WhisperStt):
    async with stt.hear(Hints("xx")) as turn:
        await feed(stt, turn, "no no")
        with pytest.raises(ModelError, match="does not understand 'xx'"):
            await turn.words()


async def test_a_session_hears_with_it(stt: WhisperStt):
    spoken_at_24_khz = convert(spoken("what time is it in Paris .") + bytes(32_000), 16_000, 24_000)
    async with session(senses(stt=stt), config={"type": "transcription"}) as hand:
        transcription = {"model": "whisper-1", "language": "en"}
        await hand.update(audio={"input": {"transcription": transcription}}, type="transcription")
        await hand.hear(spoken_at_24_khz)
        async with asyncio.timeout(20):
            told = await hand.until("conversation.item.input_audio_transcription.completed")
    deltas = [frame.data["delta"] for frame in hand.seen if frame.type.endswith("transcription.delta")]
    assert "".join(deltas) == told["transcript"] == "what time is it in Paris."
