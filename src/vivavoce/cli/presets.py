"""``--preset``: which model each sense gets where nobody has chosen one, and why, in one line for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vivavoce.cli.settings import Settings
from vivavoce.models.catalog import SPECS, Chosen, Spec
from vivavoce.models.files import Files

__all__ = ["LOCAL", "Picked", "local", "picked"]

LOCAL: Mapping[str, tuple[str, ...]] = {"stt": ("whisper", "pocketsphinx"), "tts": ("kokoro", "piper", "espeak")}
"""By sense, the best first. The mind has one model of this process alone, and turns go by ``--end-of-turn``."""
_DOES = {"stt": "hears with", "tts": "speaks with"}


@dataclass(frozen=True, slots=True)
class Picked:
    chosen: Mapping[str, Chosen]
    """By sense."""
    line: str = ""
    """What was picked and why; empty where no preset was asked for."""


def picked(settings: Settings) -> Picked:
    """What the settings say, with what their preset adds."""
    if settings.preset == "default":
        return Picked(settings.chosen)
    language = settings.speech_language or "en"
    return local(settings.chosen, settings.data_dir / "models", settings.end_of_turn, language=language)


def local(
    chosen: Mapping[str, Chosen],
    directory: Path,
    end_of_turn: str = "words",
    specs: Sequence[Spec] = SPECS,
    *,
    language: str = "en",
) -> Picked:
    """The best of each sense that is installed and has its files in ``directory``; what was ``chosen`` outweighs it.
    A model of one language alone is not taken for another."""
    found, words = dict(chosen), []
    for sense, order in LOCAL.items():
        if chosen[sense].name:
            words.append(f"{_DOES[sense]} {chosen[sense].name} (as was asked for)")
            continue
        known = {spec.name: spec for spec in specs if spec.sense == sense}
        missing = []
        for spec in (known[name] for name in order if name in known):
            present = [files for files in spec.present(directory) if _fits(files, language)]
            if lacks := _lacks(spec, chosen[sense].model, present):
                missing.append(f"{spec.name}: {lacks}")
                continue
            found[sense] = taken = _taken(spec, chosen[sense], present)
            why = f" ({'; '.join(missing)})" if missing else ""
            words.append(f"{_DOES[sense]} {f'{spec.name} {taken.model}'.strip()}{why}")
            break
    if end_of_turn != "words":
        words += [_hears_the_end(spec) for spec in specs if spec.sense == "turn"]
    return Picked(found, f"Preset local: {', '.join(words)}.")


def _hears_the_end(spec: Spec) -> str:
    if spec.installed:
        return f"hears the end of a turn with {spec.name}"
    return f"tells the end of a turn from words ({spec.name}: {spec.install})"


def _lacks(spec: Spec, model: str, present: Sequence[Files]) -> str:
    """What keeps it from being taken, as a command; a model that was named is looked for by its adapter."""
    if not spec.installed:
        return spec.install
    if not model and spec.files and not present:
        return f"vivavoce models pull {':'.join(filter(None, (spec.name, spec.files[0].model)))}"
    return ""


def _taken(spec: Spec, chosen: Chosen, present: Sequence[Files]) -> Chosen:
    model = chosen.model or (present[0].model if present and "model" in spec.takes else "")
    return replace(chosen, name=spec.name, model=model)


def _fits(files: Files, language: str) -> bool:
    """Those that have one language and country, such as ``de-DE``, are for that language."""
    only, _, country = files.languages.partition("-")
    return not (country.isupper() and len(country) == 2) or only == language.partition("-")[0].lower()
