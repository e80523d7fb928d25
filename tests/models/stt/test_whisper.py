"""Whisper, by a tiny one that says a sentence by heart: what stands around the model is real."""

import asyncio
import threading
from pathlib import Path

import pytest

from tests.support.fake_models import tone
from tests.support.tiny_whisper import tiny_whisper
from vivavoce.models.interfaces import Hints, ModelError, Transcript
from vivavoce.models.stt import whisper
from vivavoce.models.stt.whisper import WhisperStt

SPEECH = tone(300, 16_000)


async def test_it_hears_several_at_once_and_nothing_in_silence(tmp_path: Path):
    tiny_whisper(tmp_path / "whisper" / "tiny", prompt=2)
    stt = WhisperStt("tiny", tmp_path)
    await stt.warm()
    heard = await asyncio.gather(*(stt.transcribe(SPEECH, Hints("en-GB")) for _ in range(3)))
    assert heard == [Transcript("what time is it")] * 3
    assert await stt.transcribe(bytes(32_000), Hints()) == Transcript("")
    with pytest.raises(ModelError, match="does not understand 'xx'"):
        await stt.transcribe(SPEECH, Hints("xx"))
    await stt.close()


def test_missing_files_are_named_with_what_fetches_them(tmp_path: Path):
    with pytest.raises(ModelError, match=r"lacks model\.bin.* vivavoce models pull whisper:base"):
        WhisperStt("base", tmp_path)
    with pytest.raises(ModelError, match="Put them there"):
        WhisperStt(str(tmp_path))


async def test_a_full_queue_refuses_and_who_goes_away_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    may, begun = threading.Event(), list[str | None]()

    def hear(self: WhisperStt, pcm: bytes, hints: Hints) -> Transcript:
        may.wait(10)
        begun.append(hints.language)
        return Transcript("")

    monkeypatch.setattr(WhisperStt, "_hear", hear)
    monkeypatch.setattr(whisper, "_folder", lambda model, directory: tmp_path)
    stt = WhisperStt()
    asked = [asyncio.create_task(stt.transcribe(SPEECH, Hints(str(n)))) for n in range(whisper.MOST_ASKED)]
    await asyncio.sleep(0)
    with pytest.raises(ModelError, match="busy"):
        await stt.transcribe(SPEECH, Hints())
    asked[-1].cancel()
    await asyncio.wait(asked[-1:])
    may.set()
    await asyncio.gather(*asked[:-1])
    assert begun == [str(n) for n in range(whisper.MOST_ASKED - 1)]
    await stt.close()
