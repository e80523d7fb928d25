"""Ephemeral keys: what they are, how long they live, how many there may be."""

import re

import pytest

from tests.support.access import House
from vivavoce.access.grants import MAX_SECONDS, MIN_SECONDS, Grants, TooManyGrants
from vivavoce.access.sealing import Sealer


async def test_a_key_has_the_prefix_and_160_bits_and_stands_for_its_config(house):
    at: House = house()
    config = {"type": "realtime", "instructions": "Be brief."}
    key, grant = await at.grants.mint(
        config, seconds=60, parent="local", beta={"x": 1}, agent="guide", upstream_key="sk-u"
    )
    assert re.fullmatch(r"ek_[a-z2-7]{32}", key)
    assert grant.expires_at == 1_060
    assert await at.grants.find(key) == grant
    assert (grant.config, grant.beta, grant.agent, grant.upstream_key) == (config, {"x": 1}, "guide", "sk-u")
    assert "sk-u" not in repr(grant)


async def test_two_keys_are_two_keys(house):
    at: House = house()
    one, _ = await at.grants.mint({"type": "realtime"}, seconds=60, parent="local")
    two, _ = await at.grants.mint({"type": "transcription"}, seconds=60, parent="local")
    found = await at.grants.find(two)
    assert one != two
    assert found is not None
    assert found.config["type"] == "transcription"


async def test_a_key_is_good_many_times_until_it_expires(house):
    at: House = house()
    key, grant = await at.grants.mint({}, seconds=10, parent="local")
    at.clock.now += 9.9
    assert await at.grants.find(key) == await at.grants.find(key) == grant
    at.clock.now += 0.1
    assert await at.grants.find(key) is None


async def test_a_key_ends_with_its_parent(house):
    at: House = house()
    _, grant = await at.grants.mint({}, seconds=600, parent="user:u", parent_expires_at=1_030.5)
    assert grant.expires_at == 1_030


async def test_an_unknown_key_stands_for_nothing(house):
    at: House = house()
    assert await at.grants.find("ek_nobody") is None
    assert await at.grants.find("ek_\ud800") is None


@pytest.mark.parametrize("seconds", [MIN_SECONDS - 1, MAX_SECONDS + 1])
async def test_a_life_that_is_too_short_or_too_long_is_refused(house, seconds):
    with pytest.raises(ValueError, match="10 to 7200"):
        await house().grants.mint({}, seconds=seconds, parent="local")


async def test_their_number_is_bounded_and_expired_ones_make_room(house):
    at: House = house(limit=2)
    await at.grants.mint({}, seconds=60, parent="local")
    await at.grants.mint({}, seconds=10, parent="local")
    with pytest.raises(TooManyGrants):
        await at.grants.mint({}, seconds=60, parent="local")
    at.clock.now += 10
    key, grant = await at.grants.mint({}, seconds=60, parent="local")
    assert await at.grants.find(key) == grant


async def test_the_database_knows_neither_the_key_nor_what_it_stands_for(house):
    at: House = house()
    key, _ = await at.grants.mint({"instructions": "Be brief."}, seconds=60, parent="local", upstream_key="sk-u")
    rows = await at.store.database.run(lambda it: it.exec_driver_sql("SELECT * FROM grants").all())
    assert len(rows) == 1
    assert not any(secret in repr(rows) for secret in (key, key[3:], "brief", "sk-u"))


async def test_another_secret_opens_nothing(house):
    at: House = house()
    key, _ = await at.grants.mint({}, seconds=60, parent="local")
    other = Sealer(b"another secret, just as long as that", at.random)
    assert await Grants(at.store.grants, other, now=at.clock, random=at.random).find(key) is None
