"""A session is written down beside its stream: in batches, again and again while the store fails, never in its way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from tests.support.access import Clock
from tests.support.lines import MemoryLine
from tests.support.past import record_of
from tests.support.virtual_time import virtual_time
from vivavoce.access.agents import Kept
from vivavoce.protocol.frame import Closed, Frame
from vivavoce.sessions.beside import LAST_SECONDS
from vivavoce.sessions.capacity import Capacity
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers import waiting
from vivavoce.sessions.observers.record import Record
from vivavoce.sessions.registry import Registry
from vivavoce.store.database import in_directory
from vivavoce.store.ledger import EVERY, Ledger
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session
from vivavoce.store.store import Store, in_memory, open_store

FULL = OperationalError("INSERT …", {}, sqlite3.OperationalError("database or disk is full"))
BEGUN = Session(id="sess_1", owner="key:1", kept="text", backend="builtin", model="m", started_at=1.0, call_id="rtc_1")


def said(id: str, words: str, role: str = "user") -> Frame:
    content = [{"type": "input_text" if role == "user" else "output_text", "text": words}]
    item = {"id": id, "type": "message", "role": role, "status": "completed", "content": content}
    return Frame("conversation.item.done", {"type": "conversation.item.done", "item": item})


def length(id: str, ms: int) -> Frame:
    """That its speaker fell silent so late."""
    return Frame("input_audio_buffer.speech_stopped", {"item_id": id, "audio_start_ms": 0, "audio_end_ms": ms})


_opened: list[Store] = []


@pytest.fixture(autouse=True)
def _all_are_closed() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def _open() -> Store:
    _opened.append(in_memory())
    return _opened[-1]


T = TypeVar("T")


class Disk:
    """A database that does as it is told. ``failing``: raised in its place; ``still``: it waits until :attr:`moves`."""

    def __init__(self, *, still: bool = False) -> None:
        self.store = _open()
        self.ledger = Ledger(self)
        self.failing: Exception | None = None
        self.moves = asyncio.Event()
        if not still:
            self.moves.set()
        self.pressed = asyncio.Event()
        self.transactions = 0

    async def run(self, work: Callable[[Connection], T]) -> T:
        self.pressed.set()
        await self.moves.wait()
        if self.failing:
            raise self.failing
        self.transactions += 1
        return await self.store.database.run(work)


def record_on(disk: Disk, kept: Kept = "text", notices: Notices | None = None, begun: Session = BEGUN) -> Record:
    return Record(disk.ledger, begun, kept=lambda: kept, now=Clock(), notices=notices or Notices(), media=False)


@asynccontextmanager
async def running(record: Record) -> AsyncIterator[None]:
    task = asyncio.create_task(record.run())
    yield
    await record.finish(Closed(1000, "Bye."))
    await asyncio.wait_for(task, 60)


async def words(store: Store, id: str = "sess_1") -> list[str]:
    return [item.words for item in await store.items.all(id)]


async def test_from_the_first_event_to_the_end():
    disk = Disk()
    record = record_on(disk)
    async with running(record):
        voice = {"audio": {"output": {"voice": "marin"}}}
        record.told(Frame("session.created", {"session": voice}))
        record.told(Frame("conversation.created", {"conversation": {"id": "conv_1"}}))
        record.told(said("u", "  Hello,\n how are you?"))
        record.charged(Response(id="resp_1", model="m", ended_at=2.0, usd=Decimal("0.5")))
        record.told(said("a", "I am well. " * 40, "assistant"))
    found = await record_of(disk.store)
    assert (found.voice, found.conversation_id, found.call_id) == ("marin", "conv_1", "rtc_1")
    assert (found.title, found.usd, found.responses) == ("Hello, how are you?", Decimal("0.5"), 1)
    assert found.preview == "I am well. " * 10 + "I am…"
    assert (found.ended_at, found.end_reason) == (1_000.0, "1000 Bye.")
    assert await words(disk.store) == ["  Hello,\n how are you?", "I am well. " * 40]


async def test_a_slow_disk_makes_batches_larger_and_not_more():
    disk = Disk(still=True)
    record = record_on(disk)
    async with running(record):
        await disk.pressed.wait()
        for number in range(500):
            record.told(said(f"u{number % 50}", f"said {number}"))
        disk.moves.set()
    assert disk.transactions == 2
    assert await words(disk.store) == [f"said {number}" for number in range(450, 500)]


async def test_a_flood_that_outruns_the_writer_is_bounded_counted_and_said():
    disk, notices = Disk(still=True), Notices()
    record = record_on(disk, notices=notices)
    async with running(record):
        await disk.pressed.wait()
        for number in range(waiting.ITEMS + 10):
            record.told(said(f"u{number}", "x"))
        record.told(said("u0", "the newest of what waits already"))
        disk.moves.set()
    assert record.lost == 10
    assert len(await disk.store.items.all("sess_1")) == waiting.ITEMS
    assert (await words(disk.store))[0] == "the newest of what waits already"
    with notices.listen() as latest:
        kinds = {notice.kind: notice.data async for notice in ended(latest, notices)}
    assert kinds["store"]["lost"] == 10


async def ended(latest: Any, notices: Notices) -> AsyncIterator[Any]:
    notices.end()
    async for notice in latest:
        yield notice


@virtual_time
async def test_a_full_disk_ends_no_session_and_all_of_it_is_written_when_there_is_room(
    caplog: pytest.LogCaptureFixture,
):
    disk, notices = Disk(), Notices()
    caplog.set_level("INFO", "vivavoce")
    disk.failing = FULL
    record = record_on(disk, notices=notices)
    async with running(record):
        for number in range(5):
            record.told(said(f"u{number}", f"words {number}"))
            record.charged(Response(id=f"resp_{number}", model="m", ended_at=2.0, usd=Decimal(1)))
            await asyncio.sleep(3)
        with notices.listen() as latest:
            assert (await anext(latest)).data == {"written": False, "lost": 0}
        disk.failing = None
        await asyncio.sleep(10)
        with notices.listen() as latest:
            assert (await anext(latest)).data == {"written": True, "lost": 0}
    assert await words(disk.store) == [f"words {number}" for number in range(5)]
    assert (await record_of(disk.store)).usd == 5
    told = [each for each in caplog.messages if "store" in each]
    assert len(told) == 2
    assert "database or disk is full" in told[0]
    assert "words" not in caplog.text


@virtual_time
async def test_a_disk_that_is_full_in_earnest(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    store = open_store(in_directory(tmp_path))
    _opened.append(store)

    async def pages(most: int) -> None:
        await store.database.run(lambda connection: connection.execute(text(f"PRAGMA max_page_count = {most}")))

    record = Record(store.ledger, BEGUN, kept=lambda: "text", now=Clock(), notices=Notices(), media=False)
    await pages(1)  # no more than there are
    async with running(record):
        for number in range(20):
            record.told(said(f"u{number}", "x" * 10_000))
            await asyncio.sleep(1)
        assert "database or disk is full" in caplog.text
        assert len(await store.items.all("sess_1")) < 20
        await pages(10_000)
        await asyncio.sleep(10)
    assert [len(each) for each in await words(store)] == [10_000] * 20
    assert record.lost == 0


@virtual_time
async def test_the_end_of_a_session_waits_for_the_store_but_not_for_ever(caplog: pytest.LogCaptureFixture):
    disk = Disk()
    disk.failing = FULL
    record = record_on(disk)
    client, answerer = MemoryLine(), MemoryLine()
    loop = asyncio.get_running_loop()
    async with Registry(capacity=Capacity(1), now=loop.time) as registry:
        with registry.admit("sess_1", "websocket") as live:
            running = asyncio.create_task(live.run(client, answerer, new_id=str, observers=[record]))
            answerer.arrive(said("u", "secret"))
            await client.next_sent()
            began = loop.time()
            client.hang_up()
            await running
    assert LAST_SECONDS <= loop.time() - began < LAST_SECONDS + 1
    assert record.lost == 1
    assert "not written down" in caplog.text
    assert "secret" not in caplog.text


async def test_what_no_store_can_hold_takes_nothing_else_with_it():
    """Nor with what another session writes at the same time."""
    disk = Disk()
    record, other = record_on(disk), record_on(disk, begun=replace(BEGUN, id="sess_2"))
    async with running(record), running(other):
        record.told(length("u1", 2**70))
        for number in range(3):
            for each in (record, other):
                each.told(said(f"u{number}", f"words {number}"))
                each.charged(Response(id=f"resp_{number}", model="m", ended_at=2.0, usd=Decimal(1)))
        record.charged(Response(id="too much", model="m", ended_at=2.0, usd=Decimal(2**70)))
    assert await words(disk.store) == ["words 0", "words 2"]
    assert await words(disk.store, "sess_2") == ["words 0", "words 1", "words 2"]
    assert (record.lost, other.lost) == (2, 0)
    found = [await record_of(disk.store, id) for id in ("sess_1", "sess_2")]
    assert [each.usd for each in found] == [3, 3]
    assert [each.end_reason for each in found] == ["1000 Bye.", "1000 Bye."]
    assert [day.usd for day in await disk.store.usage.days()] == [6]


@virtual_time
async def test_many_sessions_are_one_transaction_soon_and_none_at_the_end_waits():
    disk, loop = Disk(), asyncio.get_running_loop()
    records = [record_on(disk, begun=replace(BEGUN, id=f"sess_{number}")) for number in range(50)]
    async with AsyncExitStack() as stack:
        for record in records:
            await stack.enter_async_context(running(record))
        for number in range(4):
            for record in records:
                record.told(said(f"u{number}", f"words {number}"))
            await asyncio.sleep(EVERY + 0.001)
            assert disk.transactions == number + 1
            assert await words(disk.store, "sess_49") == [f"words {each}" for each in range(number + 1)]
        began = loop.time()
    assert loop.time() == began


async def test_where_no_words_are_kept_the_cost_is():
    disk = Disk()
    record = record_on(disk, "off")
    async with running(record):
        record.told(said("u", "Nobody is to know."))
        record.charged(Response(id="resp_1", model="m", ended_at=2.0, usd=Decimal("0.5")))
    found = await record_of(disk.store)
    assert (found.title, found.preview, found.usd) == (None, None, Decimal("0.5"))
    assert await words(disk.store) == []
    assert [day.usd for day in await disk.store.usage.days()] == [Decimal("0.5")]


async def test_a_session_that_is_deleted_while_it_goes_on_does_not_come_back():
    disk = Disk()
    record = record_on(disk)
    async with running(record):
        record.told(said("u", "one"))
        await disk.ledger.flush()
        await disk.store.sessions.delete(["sess_1"])
        record.told(said("v", "two"))
        record.charged(Response(id="resp_1", model="m", ended_at=2.0, usd=Decimal("0.5")))
    assert record.deleted
    assert await disk.store.sessions.find("sess_1") is None
    assert [day.usd for day in await disk.store.usage.days()] == [Decimal("0.5")]


async def test_a_session_that_goes_on_has_no_end_any_more_and_who_reads_finds_what_was_just_said():
    store = _open()
    for id in ("u", "v"):
        record = Record(store.ledger, BEGUN, kept=lambda: "text", now=Clock(), notices=Notices(), media=False)
        async with running(record):
            record.told(said(id, id))
            assert (await words(store))[-1] == id
            assert (await record_of(store)).ended_at is None
        assert (await record_of(store)).ended_at is not None
    assert await words(store) == ["u", "v"]
