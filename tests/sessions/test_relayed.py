"""Calls that only have a name here."""

from vivavoce.sessions.relayed import MAX_SECONDS, RelayedCalls


def test_a_call_is_known_until_it_is_forgotten_or_cannot_be_live_any_more():
    now = 0.0
    calls = RelayedCalls(now=lambda: now)
    calls.add("rtc_ours", "rtc_theirs")
    assert calls.find("rtc_ours") == "rtc_theirs"
    calls.forget("rtc_ours")
    calls.forget("rtc_ours")
    assert calls.find("rtc_ours") is None
    calls.add("rtc_old", "rtc_theirs")
    now = MAX_SECONDS
    assert calls.find("rtc_old") is None


def test_the_oldest_makes_room():
    calls = RelayedCalls(now=lambda: 0.0, limit=2)
    for name in ("one", "two", "three"):
        calls.add(name, name)
    assert [calls.find(name) for name in ("one", "two", "three")] == [None, "two", "three"]
