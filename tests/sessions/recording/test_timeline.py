"""Where each sound belongs: a list of what happened in, two channels out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio import HOUSE_RATE
from vivavoce.sessions.recording.timeline import LAG, Timeline

MS = HOUSE_RATE // 1000


def sound(ms: int, level: int = 1000) -> bytes:
    return np.full(ms * MS, level, "<i2").tobytes()


def spans(channel: np.ndarray) -> list[tuple[int, int]]:
    """Where there is sound, in milliseconds."""
    loud = np.concatenate([[False], channel != 0, [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1]) / MS
    return [(round(edges[at]), round(edges[at + 1])) for at in range(0, len(edges), 2)]


def sides(pcm: bytes) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    both = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    return spans(both[:, 0]), spans(both[:, 1])


def speak(timeline: Timeline, start: float, ms: int) -> None:
    """As a microphone: 20 ms, when they are over."""
    for at in range(0, ms, 20):
        timeline.user(start + (at + 20) / 1000, sound(20))


def test_what_a_user_says_is_where_it_was_said() -> None:
    timeline = Timeline(100.0, media=False)
    speak(timeline, 101.0, 400)
    speak(timeline, 103.0, 200)

    assert sides(timeline.finish(104.0)) == ([(1000, 1400), (3000, 3200)], [])


def test_a_frame_that_is_late_leaves_no_hole() -> None:
    timeline = Timeline(0.0, media=False)
    for now in (0.020, 0.040, 0.130, 0.131, 0.132, 0.133):
        timeline.user(now, sound(20))

    assert sides(timeline.finish(1.0)) == ([(0, 120)], [])


def test_an_answer_over_a_websocket_is_heard_from_when_it_came_one_piece_after_the_other() -> None:
    timeline = Timeline(0.0, media=False)
    for now in (2.0, 2.01, 2.02):
        timeline.assistant(now, "item", sound(500))

    assert sides(timeline.finish(5.0)) == ([], [(2000, 3500)])


def test_what_is_spoken_over_was_not_heard() -> None:
    timeline = Timeline(0.0, media=False)
    timeline.assistant(1.0, "item", sound(3000))
    timeline.interrupted(2.25)

    assert sides(timeline.finish(5.0)) == ([], [(1000, 2250)])


def test_a_client_knows_best_how_much_it_played() -> None:
    timeline = Timeline(0.0, media=False)
    timeline.assistant(1.0, "first", sound(1000))
    timeline.assistant(1.1, "second", sound(1000))
    timeline.interrupted(2.6)
    timeline.truncated("second", 420)

    assert sides(timeline.finish(5.0)) == ([], [(1000, 2420)])


def test_what_a_client_holds_is_heard_when_it_goes_on() -> None:
    timeline = Timeline(0.0, media=False)
    timeline.assistant(1.0, "item", sound(1000))
    timeline.held(1.5, on=True)
    timeline.assistant(1.6, "item", sound(1000))
    written = timeline.take(3.0)
    timeline.held(3.0, on=False)
    timeline.truncated("item", 1700)

    assert sides(written + timeline.finish(9.0)) == ([], [(1000, 1500), (3000, 4200)])


def test_what_a_client_holds_and_somebody_speaks_over_is_not_heard() -> None:
    timeline = Timeline(0.0, media=False)
    timeline.assistant(1.0, "item", sound(1000))
    timeline.held(1.5, on=True)
    timeline.interrupted(2.0)
    timeline.held(2.1, on=False)
    timeline.assistant(3.0, "next", sound(500))

    assert sides(timeline.finish(9.0)) == ([], [(1000, 1500), (3000, 3500)])


def test_nobody_hears_what_comes_after_the_end() -> None:
    timeline = Timeline(0.0, media=False)
    timeline.assistant(1.0, "item", sound(60_000))

    assert sides(timeline.finish(1.5)) == ([], [(1000, 1500)])


def test_over_webrtc_the_track_tells_what_was_heard() -> None:
    timeline = Timeline(0.0, media=True)
    timeline.assistant(1.0, "item", sound(1000))
    for tenth in range(1, 6):
        timeline.played(1.2 + tenth / 10, "item", tenth * 100, drained=False)
    timeline.flushed("item")
    timeline.played(1.72, "item", 510, drained=True)

    assert sides(timeline.finish(4.0)) == ([], [(1200, 1700)])


def test_a_pause_of_the_track_is_a_pause() -> None:
    timeline = Timeline(0.0, media=True)
    timeline.assistant(1.0, "item", sound(400))
    timeline.played(1.3, "item", 200, drained=False)
    timeline.played(2.5, "item", 400, drained=True)

    assert sides(timeline.finish(4.0)) == ([], [(1100, 1300), (2300, 2500)])


def test_nothing_is_taken_twice_and_nothing_that_may_still_change() -> None:
    timeline = Timeline(0.0, media=False)
    speak(timeline, 0.0, 2000)
    first = timeline.take(2.0)
    timeline.assistant(2.0, "item", sound(500))

    assert len(first) == 4 * (2 * HOUSE_RATE - LAG)
    assert timeline.take(2.0) == b""
    assert sides(first + timeline.finish(3.0)) == ([(0, 2000)], [(2000, 2500)])


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.3), st.sampled_from(["user", "assistant", "cut", "truncate", "take"]), st.integers(0, 900)
        ),
        max_size=60,
    )
)
def test_whatever_happens_the_two_sides_are_as_long_as_the_time_that_passed(
    happened: list[tuple[float, str, int]],
) -> None:
    timeline, now, taken = Timeline(0.0, media=False), 0.0, 0
    for passed, what, ms in happened:
        now += passed
        if what == "user":
            timeline.user(now, sound(min(ms, round(passed * 1000))))
        elif what == "assistant":
            timeline.assistant(now, "item", sound(ms))
        elif what == "cut":
            timeline.interrupted(now)
        elif what == "truncate":
            timeline.truncated("item", ms)
        else:
            taken += len(timeline.take(now))
    taken += len(timeline.finish(now))
    assert abs(taken / 4 / HOUSE_RATE - now) <= 0.3
