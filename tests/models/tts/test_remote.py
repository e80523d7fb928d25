"""Speech is played as it comes, whatever the server wraps it in."""

import asyncio
from contextlib import aclosing
from io import BytesIO

import pytest

from tests.support.fake_models import tone
from tests.support.leaks import no_leaks
from tests.support.model_server import ModelServer, model_server
from vivavoce.audio.wav import write_wav
from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.remote import LARGEST, SMALLEST, RemoteTts

SOUND = tone(1000)


def wav(rate: int) -> bytes:
    file = BytesIO()
    write_wav(file, tone(1000, rate), rate)
    return file.getvalue()


async def spoken(server: ModelServer, speed: float = 1.0) -> list[bytes]:
    tts = RemoteTts(url=server.url, model="tts-1")
    try:
        return [chunk async for chunk in tts.speak("Hello.", "marin", speed)]
    finally:
        await tts.close()


async def test_pcm_in_chunks_that_a_track_can_take() -> None:
    async with model_server() as server:
        server.tell(SOUND[:7], SOUND[7:101], SOUND[101:], kind="audio/pcm")
        chunks = await spoken(server)
        assert b"".join(chunks) == SOUND
        assert all(SMALLEST <= len(chunk) <= LARGEST and len(chunk) % 2 == 0 for chunk in chunks[:-1])
        assert server.asked[0].body == {
            "model": "tts-1", "input": "Hello.", "voice": "marin", "response_format": "pcm",
        }  # fmt: skip


async def test_the_speed_is_told_where_it_is_not_the_usual() -> None:
    async with model_server() as server:
        server.tell(SOUND, kind="application/octet-stream")
        await spoken(server, 1.25)
        assert server.asked[0].body["speed"] == 1.25
        with pytest.raises(ModelError, match=r"0\.25 to 1\.5"):
            await spoken(server, 4.0)


@pytest.mark.parametrize("cut", [1, 3, 20, 43, 44, 47])
async def test_a_wav_header_is_no_sound(cut: int) -> None:
    async with model_server() as server:
        file = wav(24_000)
        server.tell(file[:cut], file[cut:], kind="audio/wav")
        assert b"".join(await spoken(server)) == SOUND


async def test_a_wav_that_was_streamed_does_not_know_its_length() -> None:
    async with model_server() as server:
        file = bytearray(wav(24_000))
        file[40:44] = b"\xff\xff\xff\xff"
        server.tell(bytes(file), kind="audio/wav")
        assert b"".join(await spoken(server)) == SOUND


@pytest.mark.parametrize(("rate", "kind"), [(22_050, "audio/wav"), (16_000, "audio/pcm; rate=16000")])
async def test_another_rate_is_converted(rate: int, kind: str) -> None:
    async with model_server() as server:
        server.tell(wav(rate) if kind == "audio/wav" else tone(1000, rate), kind=kind)
        assert len(b"".join(await spoken(server))) == pytest.approx(len(SOUND), rel=0.001)


@pytest.mark.parametrize("kind", ["audio/mpeg", "application/json", "text/html"])
async def test_what_is_no_pcm_is_not_played(kind: str) -> None:
    async with model_server() as server:
        server.tell(b"ID3", kind=kind)
        with pytest.raises(ModelError, match=f"asked for PCM, it sent {kind}"):
            await spoken(server)


async def test_stereo_is_not_played() -> None:
    async with model_server() as server:
        file = bytearray(wav(24_000))
        file[22:24] = b"\x02\x00"
        server.tell(bytes(file), kind="audio/wav")
        with pytest.raises(ModelError, match="2 channels of 16 bits"):
            await spoken(server)


async def test_closing_stops_the_server() -> None:
    async with model_server() as server, no_leaks():
        tts, never = RemoteTts(url=server.url, model="tts-1"), asyncio.Event()
        server.tell(SOUND, never, kind="audio/pcm")
        async with aclosing(tts.speak("Hello.", "marin", 1.0)) as chunks:
            await anext(chunks)
        async with asyncio.timeout(5):
            await server.asked[0].left.wait()
        await tts.close()


async def test_a_voice_that_the_server_does_not_have_is_replaced_once_and_for_all() -> None:
    async with model_server() as server:
        tts = RemoteTts(url=server.url, model="tts-1")
        server.tell_json({"detail": "Voice 'marin' not found. Available voices: af_heart"}, 400)
        for _ in range(2):
            server.tell(SOUND, kind="audio/pcm")
        for _ in range(2):
            assert b"".join([chunk async for chunk in tts.speak("Hello.", "marin", 1.0)]) == SOUND
        assert [asked.body["voice"] for asked in server.asked] == ["marin", "nova", "nova"]
        for status, words in ((400, "no such voice"), (400, "input too long")):
            server.tell_json({"detail": words}, status)
            with pytest.raises(ModelError, match=words):
                await anext(tts.speak("Hello.", "nova", 1.0))
        await tts.close()


async def test_nothing_to_say() -> None:
    tts = RemoteTts(url="http://127.0.0.1:1/v1", model="tts-1")
    assert [chunk async for chunk in tts.speak(" … ", "marin", 1.0)] == []
