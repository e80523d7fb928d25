"""Who is let in with which key, and as whom."""

from dataclasses import replace

import pytest

from tests.support.access import House
from vivavoce.access.gate import MAX_KEY, Refused
from vivavoce.access.keys import make_key
from vivavoce.access.principal import ALL_SCOPES
from vivavoce.access.shares import make_share
from vivavoce.access.tokens import hash_of

KEY = "sk-the-server-wants-this"


async def a_key(at: House, *scopes: str, expires_at: float | None = None) -> tuple[str, str]:
    chosen = frozenset(scope for scope in ALL_SCOPES if scope in scopes) or ALL_SCOPES
    key, known = make_key("test", chosen, now=at.clock(), expires_at=expires_at, random=at.random)
    await at.store.keys.add(known, hash_of(key))
    return key, known.id


async def a_share(at: House, sealed: bool = False, **changes: object) -> tuple[str, str]:
    token, share = make_share(
        agent="guide", dollars=1.0, seconds=60.0, now=at.clock(), expires_at=None, random=at.random
    )
    if sealed:
        changes["sealed_key"] = at.sealer.seal(b"sk-owner", share.id.encode())
    await at.store.shares.add(replace(share, **changes), hash_of(token))  # type: ignore[arg-type]
    return token, share.id


async def refused(entering) -> Refused:
    with pytest.raises(Refused) as refusal:
        await entering
    return refusal.value


# Local mode ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "anything", "sk-whatever", "vv_whatever", "a.b.c"])
async def test_in_local_mode_any_standard_key_or_none_will_do(house, key):
    gate = house().gate
    assert (await gate.enter(key)).name == "local"
    assert (await gate.enter(key, "mint")).grant is None
    assert not await gate.demands()


async def test_the_first_key_ends_local_mode_and_its_end_does_not_bring_it_back(house):
    at: House = house()
    ephemeral, _ = await at.grants.mint({}, seconds=60, parent="local")
    assert (await at.gate.enter(ephemeral)).name == "local"
    _, id = await a_key(at)
    assert (await refused(at.gate.enter(None))).code == "missing_api_key"
    assert (await refused(at.gate.enter(ephemeral))).status == 401
    await at.store.keys.revoke(id, at.clock())
    assert (await refused(at.gate.enter(None))).status == 401


async def test_a_share_link_ends_local_mode_too(house):
    at: House = house()
    await a_share(at)
    assert (await refused(at.gate.enter("anything"))).status == 401


# Keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "missing_api_key"),
        ("sk-wrong", "invalid_api_key"),
        ("", "invalid_api_key"),
        ("x" * 9000, "invalid_api_key"),
    ],
)
async def test_a_key_is_demanded(house, key, code):
    refusal = await refused(house(given=("other", KEY)).gate.enter(key))
    assert (refusal.status, refusal.code) == (401, code)
    assert refusal.headers == {"WWW-Authenticate": "Bearer"}
    assert KEY not in refusal.message


async def test_given_keys_are_let_in_as_two_principals(house):
    gate = house(given=("other", KEY)).gate
    mine, others = await gate.enter(KEY), await gate.enter("other")
    assert mine.name.startswith("key:given_")
    assert mine.name != others.name
    assert mine.scopes == ALL_SCOPES
    assert KEY not in repr(mine)


async def test_a_stored_key_is_good_until_it_expires(house):
    at: House = house()
    key, id = await a_key(at, expires_at=1_060.0)
    assert (await at.gate.enter(key)).name == f"key:{id}"
    at.clock.now = 1_060.0
    assert (await refused(at.gate.enter(key))).code == "invalid_api_key"


async def test_a_revoked_key_is_good_no_more(house):
    at: House = house()
    key, id = await a_key(at)
    principal = await at.gate.enter(key)
    assert await at.gate.still(principal) == principal
    assert await at.store.keys.revoke(id, at.clock())
    assert not await at.store.keys.revoke(id, at.clock())
    assert (await refused(at.gate.enter(key))).status == 401
    assert (await refused(at.gate.still(principal))).status == 401


async def test_its_last_use_is_known_to_the_minute(house):
    at: House = house()
    key, id = await a_key(at)
    for now, noted in ((1_000.0, 1_000.0), (1_059.0, 1_000.0), (1_060.0, 1_060.0)):
        at.clock.now = now
        await at.gate.enter(key)
        known = await at.store.keys.get(id)
        assert known is not None
        assert known.used_at == noted


async def test_a_scope_is_needed(house):
    at: House = house()
    key, _ = await a_key(at, "connect")
    assert (await at.gate.enter(key)).scopes == {"connect"}
    refusal = await refused(at.gate.enter(key, "mint"))
    assert (refusal.status, refusal.code) == (403, "insufficient_scope")


async def test_a_call_is_its_owners_and_the_managers(house):
    at: House = house()
    one = await at.gate.enter((await a_key(at, "connect"))[0])
    two = await at.gate.enter((await a_key(at, "connect"))[0])
    manager = await at.gate.enter((await a_key(at))[0])
    assert one.may_control(one.name)
    assert not one.may_control(two.name)
    assert manager.may_control(two.name)


# Ephemeral keys --------------------------------------------------------------------------------------


async def test_an_ephemeral_key_brings_its_grant_and_its_parent(house):
    at: House = house(given=(KEY,))
    parent = await at.gate.enter(KEY)
    key, grant = await at.grants.mint({"type": "realtime"}, seconds=60, parent=parent.name, upstream_key="sk-user")
    principal = await at.gate.enter(key)
    assert (principal.grant, principal.name, principal.upstream_key) == (grant, parent.name, "sk-user")
    assert not principal.may_control(parent.name)
    assert "sk-user" not in repr(principal)


@pytest.mark.parametrize("given", [(), (KEY,)])
async def test_an_unknown_ephemeral_key_is_refused_in_every_mode(house, given):
    refusal = await refused(house(given=given).gate.enter("ek_nobody"))
    assert refusal.status == 401
    assert "unknown or has expired" in refusal.message


async def test_an_ephemeral_key_mints_no_other_and_controls_nothing(house):
    at: House = house()
    key, _ = await at.grants.mint({}, seconds=60, parent="local")
    assert (await refused(at.gate.enter(key, "mint"))).status == 403
    assert (await refused(at.gate.enter_with_standard_key(key))).status == 403


async def test_an_ephemeral_key_dies_with_the_key_that_minted_it(house):
    at: House = house()
    _, id = await a_key(at)
    key, _ = await at.grants.mint({}, seconds=60, parent=f"key:{id}")
    assert (await at.gate.enter(key)).name == f"key:{id}"
    await at.store.keys.revoke(id, at.clock())
    assert (await refused(at.gate.enter(key))).status == 401


async def test_it_dies_with_a_given_key_that_is_off_the_list(house):
    at: House = house(given=(KEY,))
    key, _ = await at.grants.mint({}, seconds=60, parent="key:given_0123456789ab")
    assert (await refused(at.gate.enter(key))).status == 401


# Share links -----------------------------------------------------------------------------------------


async def test_a_share_link_mints_and_does_nothing_else(house):
    at: House = house()
    token, id = await a_share(at, sealed=True)
    visitor = await at.gate.enter_with_share(token)
    assert (visitor.name, visitor.agent, visitor.upstream_key) == (f"share:{id}", "guide", "sk-owner")
    assert visitor.scopes == {"mint"}
    assert (await refused(at.gate.enter(token))).status == 401
    key, _ = await at.grants.mint({}, seconds=60, parent=visitor.name, agent=visitor.agent)
    talking = await at.gate.enter(key)
    assert (talking.agent, talking.upstream_key) == ("guide", "sk-owner")
    assert talking.scopes == {"connect"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"revoked_at": 900.0}, "taken it back"),
        ({"expires_at": 1_000.0}, "expired"),
        ({"used_seconds": 60.0}, "talking time"),
        ({"used_dollars": 1.0}, "money"),
    ],
)
async def test_a_link_that_is_over_says_why(house, changes, words):
    at: House = house()
    token, id = await a_share(at, **changes)
    key, _ = await at.grants.mint({}, seconds=60, parent=f"share:{id}")
    for entering in (at.gate.enter_with_share(token), at.gate.enter(key)):
        refusal = await refused(entering)
        assert refusal.status == 403
        assert words in refusal.message


async def test_what_a_link_used_adds_up(house):
    at: House = house()
    token, id = await a_share(at)
    await at.store.shares.charge(id, seconds=20.0, dollars=0.25)
    charged = await at.store.shares.charge(id, seconds=39.0, dollars=0.25)
    assert charged is not None
    assert (charged.used_seconds, charged.used_dollars) == (59.0, 0.5)
    visitor = await at.gate.enter_with_share(token)
    await at.store.shares.charge(id, seconds=1.0, dollars=0.0)
    assert (await refused(at.gate.still(visitor))).code == "share_exhausted"


async def test_unknown_links_and_unopenable_ones_are_refused(house):
    at: House = house()
    assert (await refused(at.gate.enter_with_share("vvs_nobody" + "x" * MAX_KEY))).code == "share_invalid"
    token, _ = await a_share(at, sealed_key=b"sealed with another secret, long ago")
    assert (await refused(at.gate.enter_with_share(token))).code == "share_invalid"
