"""How many words each recogniser gets wrong, of the project's own speech (``tests/speech``), and how long it takes.

    python -m bench.wer [--data-dir DIR]

Every recogniser of this process that is installed is asked, with each of its models whose files are here. The words
that were said stand in ``tests/speech/make.sh``, by which flite spoke them: 63 words in nine files, as they are and
with white noise under them. One that can hear while somebody speaks is measured so, too: its time is that from the last
sound to the words. Synthetic voices are easy, so this compares recognisers, and promises nothing of people.
"""

import argparse
import asyncio
import re
import shlex
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from tests.support.speech import FOLDER, speech
from vivavoce.cli.settings import Settings
from vivavoce.models.catalog import SPECS, Chosen, Spec, build
from vivavoce.models.interfaces import Hints, StreamingStt, Stt

SAID = re.compile(r"^say .*$", re.MULTILINE)
NOISE = (None, 20, 10)
"""Decibels below the speech."""
WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    wrong: list[int]
    """Words, for each of ``NOISE``."""
    words: int
    seconds: float
    """Half of the files took no longer."""

    def __str__(self) -> str:
        rates = " | ".join(f"{100 * wrong / self.words:.1f} %" for wrong in self.wrong)
        return f"| {self.name} | {rates} | {1000 * self.seconds:.0f} ms |"


def said() -> dict[str, str]:
    """What each file of speech says, by its name."""
    lines = (shlex.split(line) for line in SAID.findall((FOLDER / "make.sh").read_text()))
    return {name: words for _, name, _, words in (line for line in lines if len(line) == 4)}


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to be left out, put in or replaced that make one of the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def noisy(pcm: bytes, decibels: int | None) -> bytes:
    """With white noise that many decibels below the speech, the same on every run; None: as it is."""
    if decibels is None:
        return pcm
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    loudness = np.sqrt(np.mean(samples**2)) * 10 ** (-decibels / 20)
    noise = np.random.default_rng(7).normal(0, loudness, len(samples))
    return np.clip(samples + noise, -32768, 32767).astype(np.int16).tobytes()


Ask = Callable[[bytes], Awaitable[tuple[str, float]]]
"""From the sound to the words, and how long they took."""


def at_the_end(stt: Stt) -> Ask:
    async def ask(pcm: bytes) -> tuple[str, float]:
        begin = time.perf_counter()
        heard = await stt.transcribe(pcm, Hints(language="en"))
        return heard.text, time.perf_counter() - begin

    return ask


def while_spoken(stt: StreamingStt) -> Ask:
    batch = 2 * stt.rate * 160 // 1000

    async def ask(pcm: bytes) -> tuple[str, float]:
        async with stt.hear(Hints(language="en")) as hearing:
            for at in range(0, len(pcm), batch):
                begin = time.perf_counter()
                await hearing.feed(pcm[at : at + batch])
            heard = await hearing.words()
            return heard.text, time.perf_counter() - begin

    return ask


async def measure(name: str, rate: int, ask: Ask) -> Row:
    await ask(speech("say_hello", rate))  # loads it
    wrong, took = [0] * len(NOISE), []
    texts = {file: words_of(text) for file, text in said().items()}
    for file, words in texts.items():
        for number, decibels in enumerate(NOISE):
            heard, seconds = await ask(noisy(speech(file, rate), decibels))
            took.append(seconds)
            wrong[number] += errors(words, words_of(heard))
    return Row(name, wrong, sum(map(len, texts.values())), median(took))


def recognisers(directory: Path) -> list[Chosen]:
    """Those of this process that could be chosen now."""

    def models(spec: Spec) -> list[str]:
        return [files.model for files in spec.present(directory)] if spec.files else [""]

    here = [spec for spec in SPECS if spec.sense == "stt" and spec.installed and "url" not in spec.takes]
    return [Chosen(spec.name, model) for spec in here for model in models(spec)]


async def main(directory: Path) -> None:
    columns = " | ".join(f"noise {decibels} dB below" if decibels else "as it is" for decibels in NOISE)
    print(f"| words wrong | {columns} | half take at most |\n|---{'|---' * (len(NOISE) + 1)}|")
    for chosen in recognisers(directory):
        models = build(clock=lambda: datetime.now(UTC), stt=chosen, turn="words", directory=directory)
        try:
            stt, name = models.stt, f"{chosen.name} {chosen.model}".strip()
            print(await measure(name, stt.rate, at_the_end(stt)), flush=True)
            if isinstance(stt, StreamingStt):
                print(await measure(f"{name}, while spoken", stt.rate, while_spoken(stt)), flush=True)
        finally:
            await models.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Word error rate of the recognisers that are installed.")
    parser.add_argument("--data-dir", type=Path, default=Settings().data_dir)
    asyncio.run(main(parser.parse_args().data_dir / "models"))
