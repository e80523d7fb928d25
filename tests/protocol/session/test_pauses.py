"""How much silence is enough: by how finished the words are, and by how long this speaker pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.protocol.session.pauses import REMEMBERED, Pauses

LEAST, MOST, LONGEST = 600, 1500, 4000


def enough(finished: float, *pauses: int) -> int:
    known = Pauses()
    for pause in pauses:
        known.went_on(pause)
    return known.enough(finished, LEAST, MOST, LONGEST)


@pytest.mark.parametrize(
    ("finished", "pauses", "expected"),
    [
        (1.0, (), 600),
        (0.5, (), 600),
        (0.25, (), 2300),
        (0.0, (), 4000),
        (0.5, (900, 900), 600),  # two pauses are no habit
        (0.5, (200, 200, 200), 600),
        (0.5, (800, 800, 800), 1000),  # a quarter more than what is usual
        (0.75, (800, 800, 800), 800),
        (1.0, (800, 800, 800), 600),  # words that are surely finished need no habit
        (0.5, (300, 300, 300, 300, 3000), 600),  # one long one is none either
        (0.5, (3000, 3000, 3000), 1500),
        (0.0, (3000, 3000, 3000), 4000),
    ],
)
def test_how_long_is_waited(finished, pauses, expected):
    assert enough(finished, *pauses) == expected


def test_old_pauses_are_forgotten():
    assert enough(0.5, *[1000] * 50, *[100] * REMEMBERED) == LEAST


@given(finished=st.floats(0, 1), more=st.floats(0, 1), pauses=st.lists(st.integers(96, 9000), max_size=30))
def test_it_is_bounded_and_the_surer_the_sooner(finished: float, more: float, pauses: list[int]):
    low, high = sorted((finished, more))
    assert LEAST <= enough(high, *pauses) <= enough(low, *pauses) <= LONGEST
