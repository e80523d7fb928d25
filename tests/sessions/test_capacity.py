"""How many sessions a process takes, by what was measured. Beats are told, so no time passes."""

import pytest

from vivavoce.sessions.capacity import (
    BEAT_SECONDS,
    BEATS,
    BUSY,
    CEILING,
    EACH,
    FEW,
    LATE_SECONDS,
    Capacity,
    Full,
    Overloaded,
)

MANY = 20


class Measured:
    """A process that is looked at ten times a second."""

    def __init__(self, limit: int | None = None) -> None:
        self.capacity = Capacity(limit)
        self._at = self._used = 0.0

    def beat(self, beats: int = BEATS, *, busy: float = 0.1, late: float = 0.0, sessions: int = MANY) -> None:
        for _ in range(beats):
            self._at += BEAT_SECONDS + late
            self._used += busy * (BEAT_SECONDS + late)
            self.capacity.beat(self._at, late, self._used, sessions)

    def takes(self, sessions: int = MANY, *, returning: bool = False) -> bool:
        try:
            self.capacity.check(sessions, returning=returning)
        except Overloaded:
            return False
        return True


@pytest.fixture
def measured() -> Measured:
    return Measured()


def test_a_number_is_that_number_whatever_is_measured():
    measured = Measured(limit=30)
    measured.beat(busy=1.0, late=1.0)
    assert measured.takes(29)
    assert not measured.capacity.full
    with pytest.raises(Full):
        measured.takes(30)


def test_what_is_measured_has_a_ceiling(measured: Measured):
    measured.beat(sessions=CEILING)
    assert measured.takes(CEILING - 1)
    with pytest.raises(Full):
        measured.takes(CEILING, returning=True)


@pytest.mark.parametrize(("busy", "late"), [(BUSY + 0.02, 0.0), (0.1, LATE_SECONDS + 0.001)])
def test_full_is_a_busy_thread_or_a_late_loop(measured: Measured, busy: float, late: float):
    measured.beat()
    assert measured.takes()
    measured.beat(busy=busy, late=late)
    assert not measured.takes()
    assert measured.capacity.load(MANY) > 1


def test_who_comes_back_is_let_in_and_so_are_the_first(measured: Measured):
    measured.beat(busy=1.0, late=0.5)
    assert not measured.takes()
    assert measured.takes(returning=True)
    assert measured.takes(FEW - 1)


def test_there_is_room_again_when_it_is_well_below_and_not_before(measured: Measured):
    measured.beat(busy=BUSY)
    assert not measured.takes()
    for _ in range(5):
        measured.beat(busy=0.9 * BUSY)
        measured.beat(busy=BUSY)
    assert not measured.takes()
    assert measured.capacity.times_full == 1
    measured.beat(busy=0.8 * BUSY)
    assert measured.takes()


def test_a_pause_is_no_reason(measured: Measured):
    """Of the collector, of an import, of a model that loads."""
    measured.beat()
    for _ in range(BEATS // 20):
        measured.beat(1, late=0.8)
    measured.beat(5)
    assert measured.takes()
    measured.beat(1, late=0.8)
    assert not measured.takes()


def test_a_start_is_no_reason(measured: Measured):
    measured.beat(5, busy=1.0, late=2.0, sessions=0)
    assert measured.capacity.late == 0
    assert all(measured.takes(sessions) for sessions in range(FEW))


def test_a_crowd_is_let_in_as_far_as_it_can_be_foreseen(measured: Measured):
    """Nothing of it has been measured when the last of it asks."""
    measured.beat(sessions=0)
    at_once = next(sessions for sessions in range(CEILING) if not measured.takes(sessions))
    assert at_once == pytest.approx((BUSY - 0.1) / EACH, abs=1)
    measured.beat(busy=0.3, sessions=at_once)
    assert measured.takes(at_once), "they needed less than was feared"


def test_who_comes_in_the_place_of_one_that_goes_is_not_counted_twice(measured: Measured):
    measured.beat(busy=BUSY - 0.05)
    assert measured.takes(MANY)
