"""Events come out whole, however their bytes were cut and their lines ended."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.models.remote.sse import MAX_EVENT, Events, TooLong

STREAM = b': hello\n\ndata: {"a": 1}\n\nevent: x\ndata:two\ndata: lines\nid: 7\n\n: keep-alive\n\ndata: [DONE]\n\n'
DATA = [b'{"a": 1}', b"two\nlines", b"[DONE]"]


@given(st.lists(st.integers(0, len(STREAM) * 2)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_wherever_it_is_cut(cuts: list[int], ending: bytes) -> None:
    stream, events = STREAM.replace(b"\n", ending), Events()
    at = [0, *sorted(cut for cut in cuts if cut <= len(stream)), len(stream)]
    found = [data for begin, end in pairwise(at) for data in events.push(stream[begin:end])]
    assert [*found, *events.finish()] == DATA


def test_an_event_without_its_blank_line_comes_at_the_end() -> None:
    events = Events()
    assert events.push(b"data: last") == []
    assert events.finish() == [b"last"]


def test_an_event_has_a_greatest_length() -> None:
    events = Events()
    events.push(b"x" * MAX_EVENT)
    with pytest.raises(TooLong):
        events.push(b"x")
