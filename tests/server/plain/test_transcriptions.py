"""Recordings in words: every format in, every format out, long ones cut where it is quiet."""

import itertools
import random
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest
from av.audio.resampler import AudioResampler

from tests.support.fake_models import FakeStt, FakeVad, tone
from tests.support.plain import billed, built_in, client, said
from vivavoce.server.v1.plain import sound
from vivavoce.server.v1.plain.cutting import LONGEST, pieces
from vivavoce.server.v1.plain.sound import Encoder, UnknownSound, decoded
from vivavoce.server.v1.plain.sound_shapes import FORMATS
from vivavoce.server.v1.plain.subtitles import Segment, srt, vtt

THREAD = {"X-Vivavoce-Thread": "lunch"}
TWO = tone(1000) + bytes(48_000) + tone(1000)
"""Two seconds of speech, one of silence between them."""


def recording(pcm: bytes = TWO, format: Any = "wav") -> bytes:
    encoder = Encoder(format, 24_000)
    return encoder.push(pcm) + encoder.finish()


async def test_every_format_is_read() -> None:
    stt = FakeStt(*["Hello there."] * 5)
    async with built_in(stt=stt) as served, client(served) as api:
        for format in FORMATS:
            if format != "pcm":
                told = await api.audio.transcriptions.create(
                    model="whisper-1",
                    file=(f"a.{format}", recording(format=format)),
                    language="en",
                    prompt="Greetings.",
                )
                assert told.text == "Hello there."
    assert {(each.hints.language, each.hints.prompt) for each in stt.asked} == {("en", "Greetings.")}
    assert all(len(each.pcm) / 32_000 == pytest.approx(3.0, abs=0.15) for each in stt.asked)


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac"), ("mov", "pcm_s16le")])
def test_what_browsers_and_phones_record(container: str, codec: str) -> None:
    file = BytesIO()
    with av.open(file, "w", format=container) as made:
        stream = made.add_stream(codec, rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 96_000), "<i2"), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        for each in [*AudioResampler(stream.format.name, "stereo", 48_000).resample(frame), None]:  # type: ignore[union-attr]
            made.mux(stream.encode(each))  # type: ignore[union-attr, arg-type]
    assert len(decoded(BytesIO(file.getvalue()), 16_000)) / 32_000 == pytest.approx(1.0, abs=0.1)


async def test_every_format_is_given() -> None:
    async with built_in(stt=FakeStt(*["Hello.", "Goodbye."] * 4)) as served, client(served) as api:

        async def told(format: Any) -> Any:
            return await api.audio.transcriptions.create(
                model="whisper-1", file=("a.wav", recording()), response_format=format
            )

        verbose = await told("verbose_json")
        assert (verbose.text, verbose.duration) == ("Hello. Goodbye.", 3.0)
        first, second = verbose.segments
        assert first.start == pytest.approx(0, abs=0.1)
        assert second.start == pytest.approx(1.8, abs=0.1)
        assert "00:00:01," in await told("srt")
        assert (await told("vtt")).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.")
        assert str(await told("text")).strip() == "Hello."  # short, and no times are asked for: heard as one
        assert [segment.text for segment in verbose.segments] == ["Hello.", "Goodbye."]


async def test_words_come_as_they_are_recognised() -> None:
    async with built_in(stt=FakeStt("Hello.", "Goodbye.")) as served, client(served) as api:
        stream = await api.audio.transcriptions.create(model="x", file=("a.wav", recording()), stream=True)
        events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert events[-1].text == "Hello. Goodbye."  # type: ignore[union-attr]


async def test_what_is_no_recording_is_refused_in_words() -> None:
    async with built_in() as served, client(served) as api, httpx.AsyncClient() as http:
        with pytest.raises(openai.BadRequestError, match="no sound that is known here"):
            await api.audio.transcriptions.create(model="x", file=("a.wav", b"never a recording"))
        url = f"{served.http}/v1/audio/transcriptions"
        assert (await http.post(url, data={"model": "x"})).json()["error"]["code"] == "invalid_content_type"
        no_file = await http.post(url, files={"other": b"x"})
        assert no_file.json()["error"]["param"] == "file"


@pytest.mark.parametrize(
    "playlist",
    ["#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile /etc/passwd\n", "v=0\nm=audio 5004 RTP"],
)
def test_no_file_makes_the_server_open_another(playlist: str) -> None:
    with pytest.raises(UnknownSound):
        decoded(BytesIO(playlist.encode()), 16_000)


def test_a_file_that_says_it_has_a_sample_a_second_is_none() -> None:
    file = bytearray(recording())
    file[24:28] = (1).to_bytes(4, "little")
    with pytest.raises(UnknownSound):
        decoded(BytesIO(bytes(file)), 16_000)


def test_files_with_mistakes_in_them_are_sound_or_are_not() -> None:
    chance = random.Random(5)
    files = [recording(tone(200), format) for format in FORMATS if format != "pcm"]
    for _ in range(200):
        file = bytearray(chance.choice(files))
        for _ in range(chance.randint(1, 20)):
            file[chance.randrange(min(len(file), 512))] = chance.randrange(256)
        with suppress(UnknownSound, sound.TooLong):
            decoded(BytesIO(bytes(file)), 16_000)


def test_a_small_file_may_not_be_a_long_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "MAX_SECONDS", 2)
    with pytest.raises(sound.TooLong):
        decoded(BytesIO(recording(format="opus")), 16_000)


async def test_it_is_written_down_with_its_length() -> None:
    async with built_in(stt=FakeStt("Hello there.", "Hello there.")) as served, client(served, **THREAD) as api:
        for _ in range(2):
            raw = await api.audio.transcriptions.with_raw_response.create(model="x", file=("a.wav", recording()))
        id = raw.headers["x-vivavoce-session"]
        assert await said(served, id) == [("user", "Hello there.")] * 2  # said twice, and not sent twice
        assert [bill.usage for bill in await billed(served, id)] == [{"type": "duration", "seconds": 3.0}] * 2
        assert raw.http_response.json()["usage"]["seconds"] == 3.0


# Cutting -----------------------------------------------------------------------------------------------


def test_pieces_end_where_it_is_quiet() -> None:
    speech, pause = tone(960), bytes(48_000)
    found = pieces(speech + pause + speech + bytes(9600) + speech + pause, FakeVad())
    assert [(round(piece.start, 2), round(piece.end, 2)) for piece in found] == [(0.0, 1.16), (1.75, 4.3)]


def test_who_never_pauses_is_cut_all_the_same() -> None:
    found = pieces(tone(60_000), FakeVad())
    assert all(piece.end - piece.start <= LONGEST for piece in found)
    assert (found[0].start, found[-1].end) == (0.0, 60.0)
    assert all(one.end == other.start for one, other in itertools.pairwise(found))


def test_silence_has_no_pieces() -> None:
    assert pieces(bytes(480_000), FakeVad()) == []


def test_subtitles() -> None:
    cues = [Segment(0.0, 1.5, "One\n\ntwo"), Segment(3661.25, 3662.0, "a --> b")]
    assert srt(cues) == "1\n00:00:00,000 --> 00:00:01,500\nOne two\n\n2\n01:01:01,250 --> 01:01:02,000\na → b\n\n"
    assert vtt(cues).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne two\n\n")
