"""Three senses on other servers: nothing of this machine's is loaded, and what is wrong with each of them is told."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says, tone
from tests.support.model_server import model_server
from tests.support.plain import built_in
from vivavoce.models.catalog import Chosen, Models, build
from vivavoce.models.interfaces import Hints, Message, ModelError, Prompt, Said

LOCAL = ("pocketsphinx", "espeakng_loader", "faster_whisper", "kokoro_onnx", "piper")


def remote(url: str) -> Models:
    chosen = Chosen("openai", "tiny", url)
    return build(clock=lambda: datetime.now(UTC), stt=chosen, llm=chosen, tts=chosen)


async def test_they_work_with_our_own_plain_endpoints() -> None:
    async with built_in(stt=FakeStt("Hello."), llm=FakeLlm(says("Hi there.")), tts=FakeTts(rate=16_000)) as served:
        models = remote(f"{served.http}/v1")
        await models.warm()
        heard = await models.stt.transcribe(tone(500, models.stt.rate), Hints())
        prompt = Prompt("", [Message("user", heard.text)])
        said = "".join([part.text async for part in models.llm.answer(prompt) if isinstance(part, Said)])
        spoken = b"".join([chunk async for chunk in models.tts.speak(said, "nova", 1.0)])
        await models.close()
    assert (heard.text, said) == ("Hello.", "Hi there.")
    assert len(spoken) / 2 / models.tts.rate == pytest.approx(0.2, abs=0.001)


async def test_each_that_is_not_there_is_told_of() -> None:
    async with model_server() as server:
        models = remote(server.url)
        for status in (401, 200, 403):
            server.tell_json({"data": []}, status)
        with pytest.raises(ModelError, match=r"wants a key.* does not let this key do that"):
            await models.warm()
        await models.close()


def test_models_that_were_not_chosen_are_not_loaded() -> None:
    code = f"""
import sys
from datetime import datetime
from vivavoce.models.catalog import Chosen, build
chosen = Chosen("openai", "tiny", "http://127.0.0.1:1/v1")
build(clock=datetime.now, stt=chosen, llm=chosen, tts=chosen, turn="words")
print([name for name in {LOCAL} if name in sys.modules], [name for name in sys.modules if "worker" in name])
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[] []\n"
