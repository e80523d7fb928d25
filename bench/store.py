"""What it costs to write a turn down, beside the floor: the same rows by sqlite3's ``executemany``, in one transaction.

    python -m bench.store [--seconds 16] [--rounds 3]

Fifty people talk as in ``bench/engine.py``: each says something every four seconds and is answered in two sentences,
with the events of a real turn. They take their time, because what is written together depends on what happens together.
What is counted is the processor time of the process, less that of the same conversations beside a database that takes
everything and does nothing. Microseconds for one turn, the median of the rounds.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar, cast

import uvloop
from sqlalchemy import Connection

from vivavoce.protocol.frame import AUDIO_DELTA, Closed, Frame
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.record import Record
from vivavoce.store.database import FILE, in_directory
from vivavoce.store.ledger import Ledger
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session
from vivavoce.store.store import open_store

PEOPLE, TURN_SECONDS = 50, 4.0
TABLES = ("sessions", "items", "responses", "usage")
USAGE = {"input_token_details": {"text_tokens": 50, "audio_tokens": 40}, "output_token_details": {"text_tokens": 12}}

T = TypeVar("T")


class Nothing:
    """A database to which all is written at once and nothing is kept."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        assert isinstance(work, partial)
        return cast(T, [True] * len(work.keywords["batches"]))


def turn(number: int) -> list[tuple[float, list[Frame]]]:
    """What is told of one, and how many seconds after its beginning."""
    user, answer, response = f"item_user{number}", f"item_answer{number}", f"resp_{number}"
    where = {"response_id": response, "item_id": answer, "output_index": 0, "content_index": 0}
    asked = _item(user, "user", "completed", {"type": "input_audio", "transcript": None})
    begun, words = _item(answer, "assistant", "in_progress"), "It is noon in London. The sun is out."
    said = _item(answer, "assistant", "completed", {"type": "output_audio", "transcript": words})
    given = {"id": response, "object": "realtime.response", "status": "in_progress", "conversation_id": "conv_1"}
    before = f"item_answer{number - 1}" if number else None
    delta = "response.output_audio_transcript.delta"
    return [
        (0.0, [_event("input_audio_buffer.speech_started", item_id=user, audio_start_ms=number * 4000)]),
        (1.5, [
            _event("input_audio_buffer.speech_stopped", item_id=user, audio_end_ms=number * 4000 + 1500),
            _event("conversation.item.added", item=asked, previous_item_id=before),
            _event("conversation.item.done", item=asked, previous_item_id=before),
        ]),
        (1.6, [
            _event("conversation.item.input_audio_transcription.completed", item_id=user, transcript="And in London?"),
            _event("response.created", response=given),
            _event("response.output_item.added", item=begun, response_id=response),
            _event("conversation.item.added", item=begun, previous_item_id=user),
            _event(delta, **where, delta="It is noon in London. "),
            *(_event(AUDIO_DELTA, **where) for _ in range(10)),
        ]),
        (1.8, [_event(delta, **where, delta="The sun is out."), *(_event(AUDIO_DELTA, **where) for _ in range(10))]),
        (2.0, [
            _event("response.output_item.done", item=said, response_id=response),
            _event("conversation.item.done", item=said, previous_item_id=user),
            _event("response.done", response={**given, "status": "completed", "output": [said]}),
        ]),
    ]  # fmt: skip


def _event(type: str, **data: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": "event_1", **data}, bytes(960) if type == AUDIO_DELTA else None)


def _item(id: str, role: str, status: str, *content: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": id, "object": "realtime.item", "type": "message", "role": role, "status": status, "content": [*content],
    }  # fmt: skip


async def talk(record: Record, begins: float, until: float) -> int:
    """Turns, from then on until then."""
    loop, number = asyncio.get_running_loop(), 0
    running = asyncio.create_task(record.run())
    while (began := begins + number * TURN_SECONDS) < until:
        for after, frames in turn(number):
            await asyncio.sleep(began + after - loop.time())
            for frame in frames:
                record.told(frame)
        paid = Response(id=f"resp_{number}", model="m", ended_at=time.time(), usage=USAGE, usd=Decimal("0.0012"))
        record.charged(paid)
        number += 1
    await record.finish(Closed(1000, "The client has gone."))
    await running
    return number


async def talked(ledger: Ledger, seconds: float) -> tuple[int, float]:
    """How many turns that were, and the processor time of all."""
    began = asyncio.get_running_loop().time()
    records = [
        Record(ledger, _session(number), kept=lambda: "text", now=time.time, notices=Notices(), media=False)
        for number in range(PEOPLE)
    ]
    before = time.process_time()
    talking = [
        talk(record, began + TURN_SECONDS * number / PEOPLE, began + seconds) for number, record in enumerate(records)
    ]
    turns = sum(await asyncio.gather(*talking))
    return turns, time.process_time() - before


def _session(number: int) -> Session:
    return Session(
        id=f"sess_{number}", owner="local", kept="text", backend="builtin", model="m", started_at=time.time()
    )


@asynccontextmanager
async def stored() -> AsyncIterator[tuple[Ledger, Path]]:
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(in_directory(Path(directory)))
        try:
            yield store.ledger, Path(directory) / FILE
        finally:
            store.close()


def floor(file: Path, other: Path) -> float:
    """Processor time, for the rows of a file in another one with the same tables."""
    source, target = sqlite3.connect(file), sqlite3.connect(other, isolation_level=None)
    rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    target.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")
    before = time.process_time()
    target.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        marks = ",".join("?" * len(rows[table][0]))
        target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[table])
    target.execute("COMMIT")
    used = time.process_time() - before
    source.close()
    target.close()
    return used


async def round(seconds: float) -> tuple[float, float, float]:
    """Microseconds a turn: floor, ours, and the conversations themselves."""
    turns, idle = await talked(Ledger(Nothing()), seconds)
    async with stored() as (ledger, file), stored() as (_, other):
        turns_too, busy = await talked(ledger, seconds)
        least = floor(file, other)
    return 1e6 * least / turns_too, 1e6 * (busy / turns_too - idle / turns), 1e6 * idle / turns


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=16.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds = [await round(given.seconds) for _ in range(given.rounds)]
    least, ours, told = (median(each[which] for each in rounds) for which in range(3))
    print(f"{'µs for a turn':34}{'floor':>8}{'ours':>8}  times the floor")
    print(f"{'written down':34}{least:8.0f}{ours:8.0f}  {ours / least:.1f}")
    print(f"{'told to the record, not written':34}{'':8}{told:8.0f}")
    each = ours / TURN_SECONDS / 1e4
    print(f"A turn every {TURN_SECONDS:g} s: {each:.3f} % of a core for each session.")


if __name__ == "__main__":
    uvloop.run(main())
