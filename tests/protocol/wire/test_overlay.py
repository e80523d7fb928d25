"""One session patch laid over another."""

import pytest

from vivavoce.protocol.wire.overlay import laid_over


@pytest.mark.parametrize(
    ("base", "patch", "merged"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"tools": [1, 2]}, {"tools": []}, {"tools": []}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        (
            {"vad": {"type": "server_vad", "threshold": 0.4}},
            {"vad": {"type": "server_vad", "prefix_padding_ms": 1}},
            {"vad": {"type": "server_vad", "threshold": 0.4, "prefix_padding_ms": 1}},
        ),
        (
            {"vad": {"type": "server_vad", "threshold": 0.4}},
            {"vad": {"type": "semantic_vad"}},
            {"vad": {"type": "semantic_vad"}},
        ),
    ],
)
def test_what_becomes_of_both(base, patch, merged):
    before = repr(base)
    assert laid_over(base, patch) == merged
    assert repr(base) == before
