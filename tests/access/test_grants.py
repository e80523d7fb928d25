"""Ephemeral keys: what they are, how long they live, how many there may be."""

import re

import pytest

from vivavoce.access.grants import MAX_SECONDS, MIN_SECONDS, Grants, TooManyGrants


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def counting():
    made = 0

    def random(size: int) -> bytes:
        nonlocal made
        made += 1
        return made.to_bytes(size, "big")

    return random


def make(limit: int = 100) -> tuple[Grants, Clock]:
    clock = Clock()
    return Grants(now=clock, random=counting(), limit=limit), clock


def test_a_key_has_the_prefix_and_160_bits_and_stands_for_its_config():
    grants, _ = make()
    key, grant = grants.mint({"type": "realtime", "instructions": "Be brief."}, seconds=60, parent="local")
    assert re.fullmatch(r"ek_[a-z2-7]{32}", key)
    assert grant.expires_at == 1_060
    assert grants.find(key) == grant
    assert grant.config["instructions"] == "Be brief."


def test_two_keys_are_two_keys():
    grants, _ = make()
    one, _ = grants.mint({"type": "realtime"}, seconds=60, parent="local")
    two, _ = grants.mint({"type": "transcription"}, seconds=60, parent="local")
    found = grants.find(two)
    assert one != two
    assert found is not None
    assert found.config["type"] == "transcription"


def test_a_key_is_good_many_times_until_it_expires():
    grants, clock = make()
    key, grant = grants.mint({}, seconds=10, parent="local")
    clock.now += 9.9
    assert grants.find(key) is grants.find(key) is grant
    clock.now += 0.1
    assert grants.find(key) is None


def test_an_unknown_key_stands_for_nothing():
    grants, _ = make()
    assert grants.find("ek_nobody") is None
    assert grants.find("ek_\ud800") is None


@pytest.mark.parametrize("seconds", [MIN_SECONDS - 1, MAX_SECONDS + 1])
def test_a_life_that_is_too_short_or_too_long_is_refused(seconds):
    grants, _ = make()
    with pytest.raises(ValueError, match="10 to 7200"):
        grants.mint({}, seconds=seconds, parent="local")


def test_their_number_is_bounded_and_expired_ones_make_room():
    grants, clock = make(limit=2)
    grants.mint({}, seconds=60, parent="local")
    grants.mint({}, seconds=10, parent="local")
    with pytest.raises(TooManyGrants):
        grants.mint({}, seconds=60, parent="local")
    clock.now += 10
    key, grant = grants.mint({}, seconds=60, parent="local")
    assert grants.find(key) is grant


def test_the_key_itself_is_not_kept():
    grants, _ = make()
    key, _ = grants.mint({}, seconds=60, parent="local")
    assert key not in repr(vars(grants))
