"""Where a turn begins and ends: windows of 32 ms in, what happened out."""

import pytest

from vivavoce.protocol.session.turn import Happened, State, Timing, TurnDetector, timing
from vivavoce.protocol.wire.config import SemanticVad, ServerVad

WINDOW = 768
TIMING = timing(ServerVad(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=200))


def hear(pattern: str, detector: TurnDetector | None = None, at: int = 0) -> list[tuple[int, Happened]]:
    """What happens at which window, from number ``at`` on: ``#`` is speech, ``+`` less of it (0.4), ``.`` none."""
    detector = detector or TurnDetector(TIMING)
    chances = {"#": 1.0, "+": 0.4, ".": 0.0}
    happened = [
        detector.hear(index * WINDOW, (index + 1) * WINDOW, chances[window]) for index, window in enumerate(pattern, at)
    ]
    return [(index, each) for index, each in enumerate(happened, at) if each]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("........", []),
        ("#...#...", []),  # one window is a click
        ("##", [(1, Happened.STARTED)]),
        (".+##", [(3, Happened.STARTED)]),  # 0.4 does not begin a turn
        ("##++++++++", [(1, Happened.STARTED)]),  # and does not end one
        ("###..###", [(1, Happened.STARTED)]),
        ("##...#", [(1, Happened.STARTED), (4, Happened.MAY_END), (5, Happened.WENT_ON)]),
        ("##.......", [(1, Happened.STARTED), (4, Happened.MAY_END), (8, Happened.STOPPED)]),
        (
            "##...#.......",
            [
                (1, Happened.STARTED),
                (4, Happened.MAY_END),
                (5, Happened.WENT_ON),
                (8, Happened.MAY_END),
                (12, Happened.STOPPED),
            ],
        ),
        ("##.......##", [(1, Happened.STARTED), (4, Happened.MAY_END), (8, Happened.STOPPED), (10, Happened.STARTED)]),
    ],
)
def test_what_happens_when(pattern, expected):
    assert hear(pattern) == expected


def test_a_turn_that_is_under_way_already_only_has_to_end():
    assert hear(".......", TurnDetector(TIMING, speaking=True)) == [(2, Happened.MAY_END), (6, Happened.STOPPED)]


def test_a_reset_forgets_the_turn():
    detector = TurnDetector(TIMING)
    hear("###", detector)
    assert detector.in_speech
    detector.reset()
    assert detector.state is State.QUIET
    assert hear(".......", detector) == []


def test_speech_begins_where_its_first_window_does():
    detector = TurnDetector(TIMING)
    hear("..##", detector)
    assert detector.since == 2 * WINDOW


def test_a_threshold_of_nothing_still_needs_a_sound():
    zero = TurnDetector(timing(ServerVad(threshold=0.0)))
    assert hear("....", zero) == []


@pytest.mark.parametrize(
    ("eagerness", "longest", "least", "most"),
    [("low", 8, 1, 2.5), ("medium", 4, 0.6, 1.5), ("auto", 4, 0.6, 1.5), ("high", 2, 0.3, 0.8)],
)
def test_a_semantic_detector_waits_as_long_as_its_eagerness_says(eagerness, longest, least, most):
    assert timing(SemanticVad(eagerness=eagerness)) == Timing(
        threshold=0.5, prefix=7200, silence=longest * 24_000, least=int(least * 24_000), most=int(most * 24_000),
        semantic=True,
    )  # fmt: skip


def test_an_opinion_holds_for_one_pause():
    detector = TurnDetector(timing(SemanticVad(eagerness="high")))
    hear("##...", detector)
    assert not detector.settle(5 * WINDOW, 5 * WINDOW)
    assert hear("..", detector, 5) == [(6, Happened.STOPPED)]
    hear("##...", detector, 7)
    assert not detector.settle(5 * WINDOW, 12 * WINDOW)
    assert hear("#" + 20 * ".", detector, 12) == [(12, Happened.WENT_ON), (15, Happened.MAY_END)]
