"""Calls that only have a name here."""

from vivavoce.sessions.relayed import MAX_SECONDS, RelayedCalls


def test_a_call_is_known_once_and_not_for_ever():
    now = 0.0
    calls = RelayedCalls(now=lambda: now)
    calls.add("rtc_ours", "rtc_theirs")
    assert calls.take("rtc_ours") == "rtc_theirs"
    assert calls.take("rtc_ours") is None
    calls.add("rtc_old", "rtc_theirs")
    now = MAX_SECONDS
    assert calls.take("rtc_old") is None


def test_the_oldest_makes_room():
    calls = RelayedCalls(now=lambda: 0.0, limit=2)
    for name in ("one", "two", "three"):
        calls.add(name, name)
    assert [calls.take(name) for name in ("one", "two", "three")] == [None, "two", "three"]
