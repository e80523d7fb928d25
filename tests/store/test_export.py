"""A session as somebody takes it away."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.store.export import as_json, as_text, as_webvtt
from vivavoce.store.items import GAP, Item
from vivavoce.store.sessions import Session

BEGAN = 1_000_000_000.0
SESSION = Session(
    id="sess_1", owner="user:a", kept="text", backend="builtin", model="m", agent="blue", title="Trains <&>",
    started_at=BEGAN, usd=Decimal("0.00120000"), responses=1,
)  # fmt: skip


def item(id: str, at: float, words: str, role: str | None = "user", **fields: Any) -> Item:
    return Item(id=id, item={"id": id}, words=words, said_at=BEGAN + at, **{"type": "message", "role": role, **fields})


ITEMS = [
    item("s", 0, "", "system"),
    item("u", 3.25, "Is 1 < 2 & 3 --> 4?\n\nWhere?", ms=2500),
    item("f", 6, "", None, type="function_call"),
    item("a", 3661.0, "Yes.", "assistant"),
    Item(id="g", type=GAP, item={"type": GAP, "seconds": 12.4}, said_at=BEGAN + 3700, place="outside"),
    item("v", 3800, ""),
]


def test_json_has_all_of_it():
    told = as_json(SESSION, ITEMS)
    assert (told["usd"], told["title"], len(told["items"])) == ("0.0012", "Trains <&>", 6)
    assert told["items"][1] == {
        "id": "u", "said_at": BEGAN + 3.25, "ms": 2500, "place": "conversation",
        "words": "Is 1 < 2 & 3 --> 4?\n\nWhere?", "item": {"id": "u"},
    }  # fmt: skip
    json.dumps(told)
    assert as_json(replace(SESSION, usd=Decimal(0)), [])["usd"] == "0"
    assert as_json(replace(SESSION, usd=Decimal("100.000")), [])["usd"] == "100"


def test_text_to_read():
    assert as_text(SESSION, ITEMS) == (
        "Trains <&>\n2001-09-09 01:46 UTC · agent blue · m\n\n"
        "[00:00:03] User: Is 1 < 2 & 3 --> 4?\n\nWhere?\n\n"
        "[01:01:01] Assistant: Yes.\n\n"
        "[01:01:40] (For 13 s the connection was lost: something may be missing here.)\n\n"
        "[01:03:20] User: (not understood)\n"
    )


def test_cues_beside_a_recording():
    assert as_webvtt(SESSION, ITEMS[:4], origin=BEGAN + 1) == (
        "WEBVTT\n\nNOTE Trains &lt;&amp;&gt;\n\n"
        "00:00:02.250 --> 00:00:04.750\n<v User>Is 1 &lt; 2 &amp; 3 --&gt; 4? Where?\n\n"
        "01:01:00.000 --> 01:01:01.000\n<v Assistant>Yes.\n"
    )


def test_a_cue_of_unknown_length_ends_where_the_next_begins():
    told = as_webvtt(SESSION, [item("u", 1, "What is this long question about?"), item("a", 1.5, "It.", "assistant")])
    assert "00:00:01.000 --> 00:00:01.500\n<v User>" in told
    assert "00:00:01.500 --> 00:00:02.500\n<v Assistant>" in told


@given(
    st.lists(st.tuples(st.integers(-99, 10**6), st.text(max_size=40), st.none() | st.integers(0, 10**7)), max_size=8)
)
def test_whatever_is_said_is_a_cue_and_nothing_else(said: list[tuple[int, str, int | None]]):
    items = [item(str(number), at, words, ms=ms) for number, (at, words, ms) in enumerate(said)]
    blocks = as_webvtt(SESSION, items).rstrip("\n").split("\n\n")
    assert blocks[0] == "WEBVTT"
    cues = blocks[2:]
    assert len(cues) == sum(at >= 0 for at, _, _ in said)
    for cue in cues:
        times, words = cue.split("\n")
        start, end = times.split(" --> ")
        assert re.fullmatch(r"\d{2,}:\d\d:\d\d\.\d{3}", start)
        assert [int(part) for part in re.split("[:.]", start)] <= [int(part) for part in re.split("[:.]", end)]
        assert words.startswith("<v User>")
        assert "<" not in words.removeprefix("<v User>")
