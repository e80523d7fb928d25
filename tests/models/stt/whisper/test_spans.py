"""Silence is taken off the edges, and what is too long is cut where it is quiet."""

import pytest

from tests.support.fake_models import tone
from vivavoce.models.stt.whisper.spans import FRAME, KEPT, loud_until, parts, trimmed

SPEECH, SECOND = tone(300, 16_000), bytes(32_000)


def test_silence_at_the_edges_goes_but_a_tenth_of_a_second():
    assert trimmed(SECOND + SPEECH + SECOND) == bytes(KEPT) + SPEECH + bytes(KEPT)
    assert trimmed(SPEECH + SECOND + SPEECH) == SPEECH + SECOND + SPEECH
    assert loud_until(SECOND + SPEECH + SECOND) == len(SECOND + SPEECH)


@pytest.mark.parametrize("pcm", [b"", SECOND, b"\1\0" * 16_000, SPEECH[: 2 * 1500]])
def test_where_no_word_can_be_nothing_is_left(pcm: bytes):
    assert trimmed(pcm) == b""


def test_a_part_ends_where_it_is_quiet():
    long = (SPEECH + bytes(2 * 3 * FRAME)) * 20
    word = len(SPEECH) + 2 * 3 * FRAME
    cut = list(parts(long, most=5 * word, least=3 * word + 1000))
    assert b"".join(cut) == long
    assert all(len(part) <= 5 * word for part in cut)
    assert all(loud_until(part) < len(part) for part in cut), "no word is cut through"
    assert list(parts(b"", 10, 5)) == []
