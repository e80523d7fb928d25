"""``vivavoce models``: what there is for each sense, what of it is here, and how to get the rest."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from vivavoce.cli.options import read, some_settings
from vivavoce.cli.presets import Picked, picked
from vivavoce.cli.settings import Settings
from vivavoce.models.catalog import SPECS, Spec
from vivavoce.models.fetching import Outcome, fetch
from vivavoce.models.files import Files, ModelFile
from vivavoce.models.interfaces import ModelError

SENSES = {
    "vad": "Hears that somebody speaks",
    "turn": "Hears that a turn is over (--end-of-turn)",
    "stt": "Hears the words (--stt)",
    "llm": "Thinks (--llm)",
    "tts": "Speaks (--tts)",
}
CHOICES = (
    "data_dir", "preset", "speech_language", "stt", "stt_model", "llm", "llm_model", "tts", "tts_model", "end_of_turn",
)  # fmt: skip
OUTCOMES: dict[Outcome, str] = {
    "kept": "is here already, and right",
    "verified": "is here, and has the hash that is known of it",
    "first": "is here; its hash was not known, was noted beside it, and holds from now on",
}


@click.group(invoke_without_command=True)
@some_settings(*CHOICES)
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Show the models of each sense; `pull` fetches the files of one. With the options of `serve`, * marks what it
    would take."""
    if context.invoked_subcommand is None:
        settings = read(options, dict(os.environ))
        for line in table(settings, picked(settings)):
            click.echo(line)


@command.command()
@click.argument("name")
@some_settings("data_dir")
def pull(name: str, **options: Any) -> None:
    """Fetch the files of a model: whisper:base, kokoro, piper:en_US-lessac-medium.

    What is here already is checked and kept; what broke off goes on where it stopped.
    """
    settings = read(options, dict(os.environ))
    try:
        spec, files = wanted(name)
        asyncio.run(_pull(files, settings.data_dir / "models"))
    except ModelError as error:
        raise click.ClickException(str(error)) from None
    chosen = f"--{spec.sense} {spec.name}" + (f" --{spec.sense}-model {files.model}" if files.model else "")
    click.echo(f"Licence: {files.licence}. To use it: vivavoce serve {chosen}")


def wanted(name: str, specs: Sequence[Spec] = SPECS) -> tuple[Spec, Files]:
    """``ADAPTER:MODEL``, or the preferred model of ``ADAPTER``, and its files. Raises :class:`ModelError`."""
    adapter, _, model = name.partition(":")
    having = [spec for spec in specs if spec.files]
    for spec in having:
        if spec.name == adapter and (files := spec.files_of(model)):
            return spec, files
    known = ", ".join(_call(spec, files) for spec in having for files in spec.files) or "none"
    raise ModelError(
        f"There is no model '{name}' whose files could be fetched. Known: {known}. Other voices of Piper go by their "
        "names, such as piper:de_DE-thorsten-medium."
    )


def table(settings: Settings, chosen: Picked, specs: Sequence[Spec] = SPECS) -> Iterator[str]:
    """For people: each sense, its adapters, and the files of their models."""
    if settings.answers == "upstream":
        yield f"Now {settings.upstream_url} answers. With --backend builtin, these models do; * is what is taken.\n"
    directory = settings.data_dir / "models"
    for sense, title in SENSES.items():
        yield title
        those = [spec for spec in specs if spec.sense == sense]
        taken = _taken(sense, those, settings, chosen)
        for spec in those:
            yield f" {'*' if spec.name == taken else ' '} {spec.name:14}{_state(spec)}"
            yield from _models(spec, directory)
        if sense == "turn":
            yield f" {'*' if taken == 'words' else ' '} {'words':14}no model: words and pauses"
        yield ""
    if chosen.line:
        yield chosen.line
    yield f"Files of models are in {directory}."


def _taken(sense: str, specs: Sequence[Spec], settings: Settings, chosen: Picked) -> str:
    if sense == "turn":
        here = any(spec.installed for spec in specs)
        return settings.end_of_turn if settings.end_of_turn != "auto" else "smart-turn" if here else "words"
    named = chosen.chosen[sense].name if sense in chosen.chosen else ""
    return named or next((spec.name for spec in specs), "")


def _state(spec: Spec) -> str:
    if "url" in spec.takes:
        return f"on another server: see --{spec.sense}-url"
    languages = f"{spec.languages} languages" if spec.languages.isdecimal() else spec.languages
    return f"{'installed' if spec.installed else spec.install}; {spec.licence}; {languages}"


def _models(spec: Spec, directory: Path) -> Iterator[str]:
    present = spec.present(directory)
    known = {files.model for files in spec.files}
    for files in (*spec.files, *(each for each in present if each.model not in known)):
        size = f"{files.size / 1e6:.0f} MB" if files.size else ""
        how = "here" if files in present else f"vivavoce models pull {_call(spec, files)}"
        yield "; ".join([f"     {files.model or spec.name:22}{size:>8}  {how}", *_of_its_own(files, spec)])


def _of_its_own(files: Files, spec: Spec) -> Iterator[str]:
    """What the line above, of its adapter, does not say of the model."""
    if files.licence not in spec.licence:
        yield f"licence: {files.licence}"
    if files.languages != spec.languages:
        yield files.languages


def _call(spec: Spec, files: Files) -> str:
    return f"{spec.name}:{files.model}" if files.model else spec.name


async def _pull(files: Files, directory: Path) -> None:
    for file in files.files:
        outcome = await _one(file, directory)
        click.echo(f"{file.path} {OUTCOMES[outcome]}.")


async def _one(file: ModelFile, directory: Path) -> Outcome:
    name = file.path.rpartition("/")[2]
    with click.progressbar(range(0), length=file.size or None, label=name, show_pos=False) as bar:

        def progress(have: int, total: int) -> None:
            bar.length = total or bar.length
            bar.update(have - bar.pos)

        return await fetch(file, directory, progress)
