"""How large, how deep and how full an event may be."""

import json
from time import perf_counter

import msgspec
import pytest

from vivavoce.protocol.dialects.ga import MAX_DEPTH, MAX_VALUES, Ga
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.config import Defaults, Settings, defaults
from vivavoce.protocol.wire.errors import ProtocolError


def nested(depth: int) -> str:
    """An event of that many levels."""
    return '{"type": "a", "b": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def test_how_deep():
    (frame,) = Ga().decode(nested(MAX_DEPTH))
    assert json.loads(Ga().encode(frame)[0]) == frame.data
    for depth in (MAX_DEPTH + 1, 500, 900, 5_000, 1_000_000):
        with pytest.raises(ProtocolError) as refusal:
            Ga().decode(nested(depth))
        assert refusal.value.code == "invalid_event"


@pytest.mark.parametrize("part", ["0,", "{},", '"\\n",'])
def test_how_full(part: str):
    most = Ga().decode('{"type": "a", "b": [' + part * (MAX_VALUES // 2 - 2) + "0]}")
    assert len(most[0].data["b"]) == MAX_VALUES // 2 - 1
    with pytest.raises(ProtocolError, match="holds too much"):
        Ga().decode('{"type": "a", "b": [' + part * MAX_VALUES + "0]}")


def test_a_long_text_is_not_full():
    assert Ga().decode(json.dumps({"type": "a", "b": "x" * (16 << 20)}))


def test_an_error_does_not_repeat_what_it_refuses():
    session = Session(0, Settings("sess_1", "model", 0), defaults("realtime", Defaults()), lambda prefix: prefix)
    session.drain()
    began = perf_counter()
    for event in (
        {"type": "x" * (16 << 20)},
        {"type": "session.update", "session": {"type": "realtime", "x" * (16 << 20): 1}},
        {"type": "conversation.item.create", "item": {"type": "x" * (16 << 20)}},
    ):
        session.client(0, event)
        (told,) = session.drain()
        assert len(msgspec.json.encode(told.data)) < 3000  # type: ignore[union-attr]
    assert perf_counter() - began < 1
