"""``vivavoce models``: the table, and what is fetched by it, from a server on loopback."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from tests.cli.test_presets import NOTHING_CHOSEN, SPECS, put
from vivavoce.cli import models
from vivavoce.cli.main import main
from vivavoce.cli.presets import Picked, local
from vivavoce.cli.settings import Settings
from vivavoce.models.catalog import Spec, find
from vivavoce.models.files import Files, ModelFile
from vivavoce.models.interfaces import ModelError
from vivavoce.models.sources import KOKORO, PIPER, WHISPER, piper_voice


def table(directory: Path, preset: bool = False) -> list[str]:
    settings = Settings(data_dir=directory)
    chosen = local(NOTHING_CHOSEN, directory / "models", "words", SPECS) if preset else Picked(NOTHING_CHOSEN)
    return list(models.table(settings, chosen, SPECS))


def test_the_table_says_what_is_here_and_how_to_get_the_rest(tmp_path: Path):
    (tmp_path / "models").mkdir()
    put(tmp_path / "models", "whisper/tiny")
    said = "\n".join(table(tmp_path))
    assert " * pocketsphinx  installed; MIT; any\n" in said
    assert "   kokoro        pip install 'vivavoce[kokoro]'; MIT; any\n" in said
    rows = [line.split() for line in said.splitlines()]
    assert ["small", "0", "MB", "vivavoce", "models", "pull", "whisper:small"] in rows
    assert ["tiny", "0", "MB", "here"] in rows
    assert " * smart-turn" in said
    assert f"Files of models are in {tmp_path / 'models'}." in said


def test_the_table_marks_what_a_preset_takes(tmp_path: Path):
    (tmp_path / "models").mkdir()
    put(tmp_path / "models", "whisper/tiny")
    said = table(tmp_path, preset=True)
    assert any(line.startswith(" * whisper") for line in said)
    assert not any(line.startswith(" * pocketsphinx") for line in said)
    assert said[-2].startswith("Preset local: hears with whisper tiny")


def test_the_command_shows_the_models_of_this_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shown = CliRunner().invoke(main, ["models", "--data-dir", str(tmp_path)])
    assert shown.exit_code == 0
    assert " * pocketsphinx  installed; BSD-2-Clause; English" in shown.output
    assert "vivavoce models pull whisper:distil-large-v3; English\n" in shown.output
    assert "piper:en_US-lessac-medium; licence: see its MODEL_CARD; en-US\n" in shown.output


def test_names_of_models():
    assert models.wanted("whisper", SPECS)[1].model == "small"
    assert models.wanted("whisper:tiny", SPECS)[1].model == "tiny"
    for wrong in ("whisper:huge", "pocketsphinx", "nothing", ""):
        with pytest.raises(
            ModelError, match=r"Known: whisper:small, whisper:tiny, kokoro, piper:lessac\. Other voices"
        ):
            models.wanted(wrong, SPECS)


def test_what_is_known_of_files_is_whole():
    every = [file for kit in (*WHISPER, *KOKORO, *PIPER) for file in kit.files]
    assert all(file.url.startswith("https://") and file.size and len(file.sha256) == 64 for file in every)
    assert len({file.path for file in every}) == len(every)
    assert not any("/main/" in file.url for file in every), "a branch moves"


def test_any_voice_of_piper_by_its_name():
    voice = piper_voice("de_DE-thorsten-medium")
    assert voice is not None
    assert [file.path for file in voice.files] == [
        "piper/de_DE-thorsten-medium.onnx.json", "piper/de_DE-thorsten-medium.onnx",
    ]  # fmt: skip
    assert voice.files[1].url.endswith("/v1.0.0/de/de_DE/thorsten/medium/de_DE-thorsten-medium.onnx")
    assert piper_voice("../../etc/passwd") is None
    assert piper_voice("en_US-a/../b-medium") is None


def test_voices_that_were_fetched_by_name_are_found(tmp_path: Path):
    spec = Spec(
        name="piper", sense="tts", module="", factory="", licence="", languages="", files=PIPER, more=piper_voice
    )
    for name in ("de_DE-thorsten-medium.onnx", "de_DE-thorsten-medium.onnx.json", "fr_FR-siwis-low.onnx", "odd.onnx"):
        put(tmp_path, f"piper/{name}")
    assert [files.model for files in spec.present(tmp_path)] == ["de_DE-thorsten-medium"]


def test_pull_fetches_once_and_says_what_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    async def serve() -> list[str]:
        async def give(request: web.Request) -> web.Response:
            return web.Response(body=b"a model") if request.path != "/gone" else web.Response(status=404)

        app = web.Application()
        app.router.add_get("/{any:.*}", give)
        async with TestServer(app) as server:
            known = hashlib.sha256(b"a model").hexdigest()
            files = {
                "good": [ModelFile("x/known", str(server.make_url("/a")), 7, known),
                         ModelFile("x/unknown", str(server.make_url("/b")))],
                "gone": [ModelFile("x/gone", str(server.make_url("/gone")))],
            }  # fmt: skip
            kits = {name: Files(name, tuple(each), "MIT", "any") for name, each in files.items()}
            monkeypatch.setattr(models, "wanted", lambda name: (find("stt", "whisper"), kits[name]))

            def pull(name: str) -> str:
                result = CliRunner().invoke(main, ["models", "pull", name, "--data-dir", str(tmp_path)])
                return f"{result.exit_code} {result.output}"

            return [await asyncio.to_thread(pull, name) for name in ("good", "good", "gone")]

    first, second, gone = asyncio.run(serve())
    assert first.startswith("0 ")
    assert "x/known is here, and has the hash that is known of it.\n" in first
    assert "x/unknown is here; its hash was not known, was noted beside it" in first
    assert first.endswith("Licence: MIT. To use it: vivavoce serve --stt whisper --stt-model good\n")
    assert second.count("is here already, and right.") == 2
    assert gone.startswith("1 ")
    assert "has no x/gone. Is the name right?" in gone
    assert (tmp_path / "models/x/known").read_bytes() == b"a model"
