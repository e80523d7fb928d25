"""From a voice over an answer to the answer's end.

Four voices of flite each say four things over long answers, three people at a time. Two times are told: from the first
sample that can be heard at all, and from the first voiced frame (``bench/voicing.py``). An answer has ended when its
client is told so. Needs ``flite``.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.conversations import VOICES
from bench.measures.common import doing, ms, url
from bench.processes import Process
from bench.report import Asked, Table
from bench.servers import OURS, Server, standing, stubs
from bench.stage import RATE, spoken
from bench.stubs import Delays
from bench.talkers import in_frames, person, question
from bench.voicing import audible, voiced
from bench.wires import Wire
from vivavoce.audio.resample import convert

__all__ = ["Row", "asked", "measure", "tables"]

SAID = ("Stop.", "No.", "Wait a second.", "Actually I meant tomorrow.")
AT_ONCE = 3
LONG = Delays(stt=0.08, llm=0.15, word=0.02, tts=0.1, words=200)
"""An answer that is still being made when somebody speaks over it."""
SILENCE = 0.5
QUESTION = "time_in_london"


@dataclass(frozen=True)
class Row:
    server: str
    voice: str
    said: str
    audible: float | None
    voiced: float | None
    """Milliseconds to the end of the answer; None where it went on."""


@dataclass(frozen=True)
class Interjection:
    voice: str
    said: str
    messages: Sequence[str | bytes]
    audible: float
    voiced: float
    """Seconds from the beginning of the first message."""


async def measure(servers: Sequence[Server]) -> list[Row]:
    rows = []
    async with stubs(LONG) as models:
        for server in servers:
            doing("interruptions", server.name)
            wire = server.wire(SILENCE)
            cases = [interjection(voice, said, wire) for voice in VOICES for said in SAID]
            async with standing(server, models, SILENCE) as process:
                await _one_person(process, server, cases[:1])  # the first of all waits for more than anybody after it
                found = await asyncio.gather(
                    *(_one_person(process, server, cases[each::AT_ONCE]) for each in range(AT_ONCE))
                )
            rows += [row for each in found for row in each]
    return rows


async def _one_person(process: Process, server: Server, interjections: Sequence[Interjection]) -> list[Row]:
    wire = server.wire(SILENCE)
    async with person(url(process), wire) as who:
        took = await who.interrupt(question(QUESTION, wire), [each.messages for each in interjections])
    rows = []
    for each, seconds in zip(interjections, took, strict=True):
        since = [None if seconds is None else (seconds - at) * 1000 for at in (each.audible, each.voiced)]
        rows.append(Row(server.name, each.voice, each.said, since[0], since[1]))
    return rows


def interjection(voice: str, said: str, wire: Wire) -> Interjection:
    samples = np.frombuffer(convert(spoken(voice, said), RATE, wire.rate), np.int16)
    samples = samples[audible(samples)]
    messages, lead = in_frames(samples, wire)
    return Interjection(voice, said, messages, lead, lead + voiced(samples, wire.rate))


def tables(rows: Sequence[Row]) -> list[Table]:
    columns = ["median / nine in ten / worst, ms", "from the first voiced frame", "first audible sample", "ended"]
    lines = []
    for server, ours in _by_server(rows).items():
        cut = [(row.voiced, row.audible) for row in ours if row.voiced is not None and row.audible is not None]
        lines.append([
            server, *(" / ".join(ms(each) for each in _spread(times)) for times in zip(*cut, strict=True)),
            f"{len(cut)} of {len(ours)}",
        ])  # fmt: skip
    return [Table(columns, lines)]


def asked(rows: Sequence[Row]) -> list[Asked]:
    found = {}
    for server, ours in _by_server(rows).items():
        middle, _, worst = _spread([row.voiced for row in ours if row.voiced is not None])
        found[server] = f"{ms(middle)} / {ms(worst)} ms"
    return [Asked.of("first voiced frame to the answer's end, median / worst", "≤ 160 ms", OURS.name, found)]


def _by_server(rows: Sequence[Row]) -> dict[str, list[Row]]:
    servers = dict.fromkeys(row.server for row in rows)
    return {server: [row for row in rows if row.server == server] for server in servers}


def _spread(times: Sequence[float]) -> tuple[float, float, float]:
    return float(np.median(times)), float(np.percentile(times, 90)), max(times)
