"""An utterance goes out as a WAV file, and comes back as words."""

from io import BytesIO

import pytest

from tests.support.fake_models import tone
from tests.support.model_server import model_server
from vivavoce.audio.wav import read_wav
from vivavoce.models.interfaces import Hints, Logprob, ModelError, Transcript
from vivavoce.models.stt.remote import RemoteStt

SPEECH = tone(300, 16_000)


async def test_what_is_sent() -> None:
    async with model_server() as server:
        server.tell_json({"text": " Guten Tag. ", "logprobs": [{"token": "Guten", "logprob": -0.1, "bytes": [71]}]})
        stt = RemoteStt(url=server.url, model="gpt-4o-mini-transcribe")
        heard = await stt.transcribe(SPEECH, Hints("de-AT", "Names: Ötzi."))
        assert heard == Transcript("Guten Tag.", (Logprob("Guten", -0.1),))
        (asked,) = server.asked
        assert asked.path == "/v1/audio/transcriptions"
        assert read_wav(BytesIO(asked.body.pop("file"))) == (SPEECH, 16_000)
        assert asked.body == {
            "model": "gpt-4o-mini-transcribe",
            "response_format": "json",
            "language": "de",
            "prompt": "Names: Ötzi.",
            "include[]": "logprobs",
        }
        await stt.close()


async def test_a_whisper_is_asked_for_no_more_than_it_knows() -> None:
    async with model_server() as server:
        server.tell(b"Hello there.\n", kind="text/plain")
        stt = RemoteStt(url=server.url, model="whisper-1")
        assert await stt.transcribe(SPEECH, Hints()) == Transcript("Hello there.")
        assert server.asked[0].body.keys() == {"file", "model", "response_format"}
        await stt.close()


async def test_silence_is_not_sent() -> None:
    stt = RemoteStt(url="http://127.0.0.1:1/v1", model="whisper-1")
    assert await stt.transcribe(bytes(64_000), Hints()) == Transcript("")
    assert await stt.transcribe(SPEECH[:1000], Hints()) == Transcript("")


async def test_an_answer_that_is_none() -> None:
    async with model_server() as server:
        stt = RemoteStt(url=server.url, model="whisper-1")
        server.tell_json({"words": []})
        with pytest.raises(ModelError, match="no OpenAI-compatible API"):
            await stt.transcribe(SPEECH, Hints())
        await stt.close()
