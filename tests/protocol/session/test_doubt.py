"""A voice over an answer: what is made of it, window by window."""

import pytest

from vivavoce.protocol.session.doubt import INSISTS, INSISTS_ALOUD, PATIENCE, Doubt, Outcome

WINDOW = 768
ASK, SPOKE_ON, INTERRUPTION, NOTHING = Outcome


def play(script: str) -> list[tuple[int, Outcome]]:
    """``#`` is a window of voice, ``.`` one of silence; ``y`` and ``n`` are verdicts between two windows. What came
    of it, with the number of the window it came after."""
    doubt, found, number = Doubt(INSISTS_ALOUD), [], 2
    doubt.begin("item_1", 0, 2 * WINDOW)
    for step in script:
        if step in "yn":
            outcome = doubt.judged("item_1", wants_floor=step == "y")
        else:
            outcome, number = doubt.hear(WINDOW, voiced=step == "#"), number + 1
        if outcome:
            found.append((number, outcome))
    return found


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("#", []),
        ("..", []),
        ("...", [(5, ASK)]),
        ("...n", [(5, ASK), (5, NOTHING)]),
        ("...y", [(5, ASK), (5, INTERRUPTION)]),
        ("...ny", [(5, ASK), (5, NOTHING)]),  # one verdict is enough
        ("n", []),  # and none is asked for yet
        ("...#", [(5, ASK), (6, SPOKE_ON)]),
        ("...#y", [(5, ASK), (6, SPOKE_ON)]),  # which was about other words
        ("...#...n", [(5, ASK), (6, SPOKE_ON), (9, ASK), (9, NOTHING)]),
        ("#" * 18, [(20, INTERRUPTION)]),
        ("#" * 30, [(20, INTERRUPTION)]),  # once
        ("#" * 17, []),
        ("." + "#" * 18, [(21, INTERRUPTION)]),  # a stammer counts together
        ("." * 60, [(5, ASK), (40, NOTHING)]),
    ],
)
def test_what_comes_of_it(script, expected):
    assert play(script) == expected


def test_the_bounds_are_those_of_the_windows_above():
    assert (INSISTS // WINDOW, INSISTS_ALOUD // WINDOW, PATIENCE / WINDOW) == (30, 20, 37.5)


def test_a_verdict_on_another_voice_is_none():
    doubt = Doubt()
    doubt.begin("item_1", 0, WINDOW)
    for _ in range(3):
        doubt.hear(WINDOW, voiced=False)
    assert doubt.judged("item_0", wants_floor=True) is None
    assert doubt.active


def test_what_was_dropped_is_over():
    doubt = Doubt()
    assert doubt.drop() is None
    doubt.begin("item_1", 0, WINDOW)
    assert doubt.drop() is NOTHING
    assert doubt.hear(WINDOW, voiced=True) is None
