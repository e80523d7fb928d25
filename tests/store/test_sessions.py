"""The records of sessions: their items in order, what they used, and how they are found; in SQLite and PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.past import put, record_of
from vivavoce.store.items import END, GAP, Item, items_table
from vivavoce.store.recordings import Recording
from vivavoce.store.responses import Response
from vivavoce.store.sessions import TITLE, Session
from vivavoce.store.store import Store, in_memory
from vivavoce.store.usage import NOBODY, Day
from vivavoce.store.writing import Batch, write

NOON = 1_000_000_000.0
"""2001-09-09, 01:46:40 UTC."""


def session(id: str = "sess_1", **fields: Any) -> Session:
    begun = {"owner": "user:a", "kept": "text", "backend": "builtin", "model": "m", "started_at": NOON, **fields}
    return Session(id=id, **begun)


def message(id: str, words: str, **fields: Any) -> Item:
    item = {"id": id, "type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    return Item(id=id, **{"type": "message", "role": "user", "item": item, "words": words, "said_at": NOON, **fields})


async def ids(store: Store, session_id: str = "sess_1") -> list[str]:
    return [item.id for item in await store.items.all(session_id)]


async def test_a_session_from_its_beginning_to_its_end(store: Store):
    await store.sessions.begin(session(agent="blue", call_id="rtc_1", conversation_id="conv_1"))
    begun = session(agent="blue", call_id="rtc_1", conversation_id="conv_1", active_at=NOON)
    assert await store.sessions.find("sess_1") == begun
    assert await store.sessions.of_call("rtc_1") == await store.sessions.of_conversation("conv_1") == begun
    await store.sessions.begin(session(model="another"))
    assert (await record_of(store)).model == "m"
    end = {"ended_at": NOON + 9, "end_reason": "1000 The client has gone."}
    assert await store.ledger.write(Batch(session_id="sess_1", owner="user:a", now=NOON + 9, change=end))
    ended = await record_of(store)
    assert (ended.ended_at, ended.end_reason, ended.active_at) == (NOON + 9, "1000 The client has gone.", NOON + 9)
    again = await store.sessions.reopen("sess_1", NOON + 20, conversation_id="conv_2")
    assert again is not None
    assert (again.ended_at, again.end_reason, again.conversation_id) == (None, None, "conv_2")
    assert await store.sessions.reopen("sess_unknown", NOON) is None


async def test_items_keep_the_order_of_the_conversation(store: Store):
    await store.sessions.begin(session())
    await put(store, "sess_1", message("b", "two"), message("d", "four"))
    await put(store, "sess_1", message("a", "one", previous=None), message("c", "three", previous="b"))
    await put(store, "sess_1", message("e", "five", previous="never seen"))
    assert await ids(store) == ["a", "b", "c", "d", "e"]
    assert [item.previous for item in await store.items.all("sess_1")] == [None, "a", "b", "c", "d"]


async def test_what_comes_after_a_gap_stands_after_it(store: Store):
    await store.sessions.begin(session())
    gap = Item(id="gap", type=GAP, item={"type": GAP, "seconds": None}, said_at=NOON, place="outside")
    await put(store, "sess_1", message("a", "one"), gap, message("b", "two", previous="a"))
    await put(store, "sess_1", message("c", "three", previous="b"), message("x", "between", previous="a"))
    assert await ids(store) == ["a", "gap", "x", "b", "c"]


async def test_many_at_once_in_any_order_are_as_one_by_one(store: Store):
    some = [
        message("c", "3"), message("a", "1", previous=None), message("b", "2", previous="a"), message("c", "3 again"),
        message("d", "4", previous="c"), message("a", "1", place="deleted"), message("a", "5", previous="d"),
    ]  # fmt: skip
    for number, batches in enumerate(([some], [[each] for each in some])):
        await store.sessions.begin(session(f"sess_{number}"))
        for batch in batches:
            await put(store, f"sess_{number}", *batch)
        found = [(item.id, item.words) for item in await store.items.all(f"sess_{number}")]
        assert found == [("b", "2"), ("c", "3 again"), ("d", "4"), ("a", "5")]


ITEMS = st.builds(
    message,
    st.sampled_from("abcde"),
    st.sampled_from(["one", "two"]),
    ms=st.sampled_from([None, 500]),
    place=st.sampled_from(["conversation", "conversation", "outside", "deleted"]),
    previous=st.sampled_from([None, END, *"abcdez"]),
)


def written(store: Store, id: str, groups: Iterable[Sequence[tuple[str, Item]]]) -> list[tuple[Any, ...]]:
    """What stands in sessions of these names behind ``id``, in order, when each group is one transaction. Positions may
    have holes, and none is taken twice."""
    for group in groups:
        with store.database.engine.begin() as connection:
            write(connection, [batch_of(id + name, items=[item]) for name, item in group])
    with store.database.engine.begin() as connection:
        mine = items_table.c.session_id.startswith(id, autoescape=True)
        query = select(items_table).where(mine).order_by("session_id", "position")
        found = connection.execute(query).all()
    assert len({(row.session_id, row.position) for row in found}) == len(found)
    return [(row.session_id.removeprefix(id), row.id, *row[3:]) for row in found]


def batch_of(id: str, **fields: Any) -> Batch:
    return Batch(session_id=id, owner="user:a", now=NOON, begun=session(id), **fields)


async def test_an_item_that_comes_into_the_conversation_where_it_stands_is_its_last(store: Store):
    """And one that follows the one before it goes between them."""
    some = [message("a", "1"), message("b", "2", place="outside"), message("b", "2"), message("c", "3", previous="a")]
    for number, batches in enumerate(([some[:2], some[2:]], [[each] for each in some])):
        await store.sessions.begin(session(f"sess_{number}"))
        for batch in batches:
            await put(store, f"sess_{number}", *batch)
        assert await ids(store, f"sess_{number}") == ["a", "c", "b"]


def test_what_many_write_together_is_as_if_they_wrote_one_after_another():
    store, numbers = in_memory(), count()

    @given(st.lists(st.lists(st.tuples(st.sampled_from("xy"), ITEMS), min_size=1, max_size=4), max_size=5))
    @settings(max_examples=40, deadline=None)
    def alike(groups: list[list[tuple[str, Item]]]) -> None:
        number = next(numbers)
        apart = [[each] for group in groups for each in group]
        assert written(store, f"together_{number}_", groups) == written(store, f"apart_{number}_", apart)

    alike()
    store.close()


async def test_an_item_that_is_written_again_keeps_its_place_and_its_time(store: Store):
    await store.sessions.begin(session())
    await put(store, "sess_1", message("a", "", status="in_progress", ms=1200), message("b", "two"))
    await put(store, "sess_1", message("a", "hello", status="completed", said_at=NOON + 50, previous="b"))
    first, _ = await store.items.all("sess_1")
    assert first == message("a", "hello", status="completed", ms=1200, previous=None)
    await put(store, "sess_1", message("a", "hello", ms=700, said_at=NOON + 60))
    assert await store.items.find("sess_1", "a") == message("a", "hello", ms=700, said_at=NOON + 60, previous=None)
    assert await store.items.find("sess_1", "b") == message("b", "two", previous="a")
    assert await store.items.find("sess_1", "z") is None


async def test_an_item_that_a_client_takes_out_stays_as_it_was_and_may_come_again_elsewhere(store: Store):
    await store.sessions.begin(session())
    await put(store, "sess_1", *(message(id, id) for id in "abc"))
    gone = Item(id="a", type="message", item={}, said_at=NOON + 9, place="deleted")
    await put(store, "sess_1", gone, replace(gone, id="never seen"))
    assert await store.items.find("sess_1", "a") == message("a", "a", place="deleted", previous=None)
    await put(store, "sess_1", message("a", "again", said_at=NOON + 9, previous="b"))
    assert await ids(store) == ["b", "a", "c"]


async def test_what_is_no_part_of_the_conversation_stands_where_it_was_said(store: Store):
    await store.sessions.begin(session())
    gap = Item(id="gap_1", type=GAP, item={"type": GAP, "seconds": None}, said_at=NOON, place="outside")
    await put(store, "sess_1", message("a", "one"), gap, message("b", "two", place="deleted"), message("c", ""))
    found = await store.items.all("sess_1")
    assert [(item.id, item.place, item.previous) for item in found] == [
        ("a", "conversation", None),
        ("gap_1", "outside", "a"),
        ("b", "deleted", "a"),
        ("c", "conversation", "a"),
    ]


async def test_a_batch_is_written_whole_and_what_is_told_twice_counts_once(store: Store):
    usage = {
        "input_token_details": {"text_tokens": 5, "audio_tokens": 7, "cached_tokens": 4},
        "output_token_details": {"text_tokens": 2, "audio_tokens": 30},
    }
    answer = Response(id="resp_1", model="m", ended_at=NOON, usage=usage, usd=Decimal("0.000000075"), agent="blue")
    heard = Response(
        id="a", kind="transcription", model="stt", ended_at=NOON, usage={"type": "duration", "seconds": 1.5}, usd=None
    )
    batch = Batch(
        session_id="sess_1",
        owner="user:a",
        now=NOON + 1,
        begun=session(),
        items=[message("a", "one")],
        change={"title": "one", "preview": "one", "voice": "marin"},
        responses=[answer, heard],
    )
    assert await store.ledger.write(batch)
    assert await store.ledger.write(replace(batch, change={"title": "another"}))
    found = await record_of(store)
    assert (found.title, found.preview, found.voice, found.active_at) == ("one", "one", "marin", NOON + 1)
    assert (found.responses, found.unpriced, found.usd) == (1, 1, Decimal("0.000000075"))
    assert await store.responses.all("sess_1") == [heard, answer]
    assert await ids(store) == ["a"]
    assert await store.usage.days() == [
        Day(day="2001-09-09", owner="user:a", model="stt", requests=1, unpriced=1, seconds=1.5),
        Day(
            day="2001-09-09", owner="user:a", agent="blue", model="m", requests=1, usd=Decimal("0.000000075"),
            text_in=5, audio_in=7, cached_in=4, text_out=2, audio_out=30,
        ),
    ]  # fmt: skip


async def test_nothing_is_written_to_a_session_that_was_deleted_but_its_cost_is_counted(store: Store):
    await store.sessions.begin(session())
    await store.recordings.begin("sess_1", Recording(name="one.ogg", started_at=NOON))
    assert await store.sessions.delete(["sess_1", "sess_2"]) == 1
    paid = Response(id="resp_1", model="m", ended_at=NOON, usd=Decimal("0.25"))
    late = Batch(session_id="sess_1", owner="user:a", now=NOON, items=[message("a", "late")], responses=[paid])
    assert not await store.ledger.write(late)
    assert await store.items.all("sess_1") == []
    assert await store.responses.all("sess_1") == []
    assert await store.recordings.all("sess_1") == []
    assert not await store.recordings.change("sess_1", "one.ogg", state="complete")
    assert [day.usd for day in await store.usage.days()] == [Decimal("0.25")]


async def test_sums_are_exact_and_have_their_days(store: Store):
    for number in range(100):
        at = NOON + (86_400 if number % 2 else 0)
        paid = Response(id=f"resp_{number}", model="m", ended_at=at, usd=Decimal("0.1"))
        await store.usage.add("key:1" if number < 50 else "key:2", paid)
    second, first = date(2001, 9, 10), date(2001, 9, 9)
    assert [day.usd for day in await store.usage.days(owner="key:1")] == [Decimal("2.5"), Decimal("2.5")]
    assert {day.day for day in await store.usage.days(since=second)} == {"2001-09-10"}
    assert {day.day for day in await store.usage.days(until=first)} == {"2001-09-09"}
    assert await store.usage.forget("key:1") == 2
    await store.usage.forget("key:2")
    assert [(day.owner, day.usd, day.requests) for day in await store.usage.days()] == [
        (NOBODY, Decimal("5.0"), 50)
    ] * 2


async def test_the_newest_are_listed_first_page_by_page(store: Store):
    for number in range(7):
        await store.sessions.begin(session(f"sess_{number}", started_at=NOON + number // 2, owner=f"user:{number % 2}"))
    seen: list[str] = []
    page = await store.sessions.newest(limit=3)
    while page:
        seen += [each.id for each in page]
        page = await store.sessions.newest(limit=3, before=page[-1])
    assert seen == [f"sess_{number}" for number in reversed(range(7))]
    assert [each.id for each in await store.sessions.newest(owner="user:1")] == ["sess_5", "sess_3", "sess_1"]
    assert await store.sessions.older(NOON + 1, 10) == ["sess_0", "sess_1"]
    assert set(await store.sessions.of_owner("user:1", 10)) == {"sess_5", "sess_3", "sess_1"}


async def test_words_are_found_in_titles_and_in_what_was_said(store: Store):
    for number, (title, said) in enumerate(
        [("Reise nach Berlin", "Die grüne Linie"), (None, "100% of a_c\\ is \0 and \ud800")], 1
    ):
        await store.sessions.begin(session(f"sess_{number}", title=title))
        await put(store, f"sess_{number}", message("a", said))
    expected = {"GRÜNE": "1", "berlin": "1", "100%": "2", "a_c": "2", "\\": "2", "1%0": "", "_": "2"}
    for words, numbers in expected.items():
        assert [each.id[-1:] for each in await store.sessions.newest(words=words)] == list(numbers), words


async def test_a_new_name_stays(store: Store):
    await store.sessions.begin(session())
    assert await store.sessions.rename("sess_1", "x" * 500)
    await store.ledger.write(
        Batch(session_id="sess_1", owner="user:a", now=NOON, change={"title": "what was said first"})
    )
    assert (await record_of(store)).title == "x" * TITLE
    assert not await store.sessions.rename("sess_2", "y")


async def test_recordings(store: Store):
    await store.sessions.begin(session())
    await store.recordings.begin("sess_1", Recording(name="one.ogg", started_at=NOON))
    assert await store.recordings.change("sess_1", "one.ogg", state="complete", ms=5_000, bytes=12_345)
    whole = Recording(name="one.ogg", started_at=NOON, state="complete", ms=5_000, bytes=12_345)
    assert await store.recordings.all("sess_1") == [whole]
