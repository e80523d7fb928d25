"""Which models a preset takes, from adapters and files that are made up."""

from dataclasses import replace
from pathlib import Path

import pytest

from vivavoce.cli.presets import local, picked
from vivavoce.cli.settings import Settings
from vivavoce.models.catalog import Chosen, Sense, Spec
from vivavoce.models.files import Files, ModelFile
from vivavoce.models.sources import PIPER, piper_voice
from vivavoce.models.spec import Takes

NOTHING = {"stt": Chosen(), "llm": Chosen(), "tts": Chosen()}


def spec(sense: Sense, name: str, *models: str, package: str = "", takes: frozenset[Takes] = frozenset()) -> Spec:
    files = tuple(Files(each, (ModelFile(f"{name}/{each or 'file'}", "", 4),), "MIT", "any") for each in models)
    return Spec(
        name=name, sense=sense, module="none", factory="None", licence="MIT", languages="any", package=package,
        extra=name, files=files, takes=takes,
    )  # fmt: skip


SPECS = (
    spec("stt", "pocketsphinx"),
    spec("stt", "whisper", "small", "tiny", takes=frozenset({"model"})),
    spec("tts", "espeak"),
    spec("tts", "kokoro", "", package="no_such_package"),
    spec("tts", "piper", "lessac", takes=frozenset({"model"})),
    spec("turn", "smart-turn"),
)


def put(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(b"1234")


def test_what_needs_no_files_is_taken_where_there_are_none(tmp_path: Path):
    found = local(NOTHING, tmp_path, "auto", SPECS)
    assert found.chosen == {"stt": Chosen("pocketsphinx"), "llm": Chosen(), "tts": Chosen("espeak")}
    assert found.line == (
        "Preset local: hears with pocketsphinx (whisper: vivavoce models pull whisper:small), speaks with espeak "
        "(kokoro: pip install 'vivavoce[kokoro]'; piper: vivavoce models pull piper:lessac), hears the end of a turn "
        "with smart-turn."
    )


@pytest.mark.parametrize(
    ("files", "hears", "speaks"),
    [
        (["whisper/tiny"], Chosen("whisper", "tiny"), Chosen("espeak")),
        (["whisper/tiny", "whisper/small"], Chosen("whisper", "small"), Chosen("espeak")),
        (["piper/lessac"], Chosen("pocketsphinx"), Chosen("piper", "lessac")),
        (["kokoro/file"], Chosen("pocketsphinx"), Chosen("espeak")),  # its package is not installed
    ],
)
def test_the_best_is_taken_whose_files_are_here(tmp_path: Path, files: list[str], hears: Chosen, speaks: Chosen):
    put(tmp_path, *files)
    found = local(NOTHING, tmp_path, "words", SPECS)
    assert (found.chosen["stt"], found.chosen["tts"]) == (hears, speaks)


def test_a_file_that_is_not_whole_does_not_count(tmp_path: Path):
    put(tmp_path, "whisper/tiny")
    (tmp_path / "whisper/tiny").write_bytes(b"12")
    assert local(NOTHING, tmp_path, "words", SPECS).chosen["stt"] == Chosen("pocketsphinx")


def test_what_was_chosen_outweighs_it(tmp_path: Path):
    put(tmp_path, "whisper/small", "piper/lessac")
    mine = Chosen("openai", "m", "http://127.0.0.1:1/v1")
    found = local(NOTHING | {"tts": mine, "stt": Chosen(model="my/whisper")}, tmp_path, "words", SPECS)
    assert found.chosen["tts"] == mine
    assert found.chosen["stt"] == Chosen("whisper", "my/whisper")
    assert found.line == "Preset local: hears with whisper my/whisper, speaks with openai (as was asked for)."


def test_a_voice_of_one_language_is_for_that_language(tmp_path: Path):
    piper = replace(SPECS[4], files=PIPER, more=piper_voice)
    for name in ("piper/de_DE-thorsten-low.onnx", "piper/de_DE-thorsten-low.onnx.json"):
        put(tmp_path, name)

    def speaks(language: str) -> Chosen:
        return local(NOTHING, tmp_path, "words", [*SPECS[:4], piper], language=language).chosen["tts"]

    assert speaks("en") == Chosen("espeak")
    assert speaks("de") == speaks("de-AT") == Chosen("piper", "de_DE-thorsten-low")


def test_without_a_preset_nothing_is_picked(tmp_path: Path):
    assert picked(Settings(data_dir=tmp_path)).line == ""
    assert picked(Settings(data_dir=tmp_path)).chosen == NOTHING_CHOSEN
    assert picked(Settings(data_dir=tmp_path, preset="local")).line.startswith("Preset local: hears with ")


NOTHING_CHOSEN = Settings().chosen


def test_a_preset_is_a_choice_as_a_model_is():
    assert Settings(upstream_key="sk-a").answers == "upstream"
    assert Settings(upstream_key="sk-a", preset="local").answers == "builtin"
