"""Names become models, and a wrong name says which there are."""

import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.leaks import no_leaks
from tests.support.speech import speech
from vivavoce.models.catalog import SPECS, Chosen, Models, build, names
from vivavoce.models.interfaces import Hints, Message, ModelError, Prompt, Said
from vivavoce.models.turn import smart_turn


def now() -> datetime:
    return datetime(2026, 11, 20, 15, 42, tzinfo=UTC)


@pytest.fixture
async def models() -> AsyncGenerator[Models, None]:
    async with no_leaks():
        built = build(clock=now)
        yield built
        await built.close()
        await built.close()


@pytest.mark.models
async def test_the_defaults_hold_a_turn(models: Models) -> None:
    await models.warm()
    heard = await models.stt.transcribe(speech("time_in_london", models.stt.rate), Hints())
    prompt = Prompt("", [Message("user", heard.text)])
    said = "".join([part.text async for part in models.llm.answer(prompt) if isinstance(part, Said)])
    assert said == "It is 3:42 in the afternoon in London."
    spoken = b"".join([chunk async for chunk in models.tts.speak(said, "marin", 1.0)])
    assert len(spoken) / 2 / models.tts.rate > 2
    assert models.vad.stream()(bytes(2 * models.vad.window)) < 0.5


async def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ModelError, match=r"There is no stt model 'whispr'\. Known: pocketsphinx"):
        build(clock=now, stt=Chosen("whispr"))


def test_names_list_the_default_first() -> None:
    assert [names(sense)[0] for sense in ("vad", "stt", "llm", "tts")] == [
        "silero",
        "pocketsphinx",
        "builtin",
        "espeak",
    ]
    assert all(spec.licence for spec in SPECS)


async def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "vivavoce.models.turn.smart_turn", raising=False)
    with pytest.raises(ModelError, match="needs the package 'onnxruntime', which is not installed: pip install"):
        build(clock=now, turn="smart-turn")


async def test_what_an_adapter_does_not_take_is_refused() -> None:
    with pytest.raises(ModelError, match="'pocketsphinx' has no url to choose: leave --stt-url out"):
        build(clock=now, stt=Chosen("pocketsphinx", url="http://127.0.0.1:1"))
    assert "hunter2" not in repr(Chosen("openai", key="hunter2"))


def test_knowing_the_names_imports_no_model() -> None:
    code = (
        "import sys, vivavoce.models.catalog; print([m for m in sys.modules if m in ('onnxruntime', 'numpy', 'soxr')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


async def test_a_model_of_turns_is_used_where_it_is_and_insisted_on_where_that_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert build(clock=now, turn="words").turn is None
    monkeypatch.setattr(smart_turn, "_model_file", lambda: tmp_path / "smart-turn.onnx")
    for asked in ("auto", "smart-turn"):
        built = build(clock=now, turn=asked)
        assert isinstance(built.turn, smart_turn.SmartTurn)
        await built.close()

    def missing() -> Path:
        raise ModelError("pip install --no-deps pipecat-ai")

    monkeypatch.setattr(smart_turn, "_model_file", missing)
    assert build(clock=now, turn="auto").turn is None
    with pytest.raises(ModelError, match="--no-deps"):
        build(clock=now, turn="smart-turn")
