"""Who may have how much, in memory and in Redis."""

import math
from collections.abc import AsyncIterator, Callable

import pytest
from limits.aio.storage import MemoryStorage

from tests.support.access import Clock
from tests.support.services import redis
from vivavoce.access.counts import close_counts, counts_at
from vivavoce.access.grants import Grant
from vivavoce.access.limits import UNLIMITED, Allowance, Kind, Left, Limits, LimitsUnknown, OverLimit, Subject, subjects
from vivavoce.access.principal import LOCAL, Principal

KEY = (Subject("key", "key:1"),)

Making = Callable[[dict[Kind, Allowance]], Limits]


@pytest.fixture(params=["memory", "redis"])
async def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Making]:
    if request.param == "memory":
        yield lambda allowances: Limits(allowances, now=Clock())
        return
    async with redis() as url:
        storage = counts_at(url)
        await storage.reset()
        yield lambda allowances: Limits(allowances, now=Clock(), storage=storage)
        await close_counts(storage)


async def test_without_numbers_there_are_no_limits(limits):
    free = limits({})
    for _ in range(100):
        await free.mint(KEY)
    free.room(KEY, lambda _: 10_000)
    assert await free.begin(KEY) == Left(math.inf, math.inf)
    assert await free.spend(KEY, seconds=10**6, micros=10**9) == Left(math.inf, math.inf)


async def test_ephemeral_keys_a_minute(limits):
    few = limits({"key": Allowance(mints=2)})
    await few.mint(KEY)
    await few.mint(KEY)
    with pytest.raises(OverLimit, match="2 a minute are allowed for one key") as over:
        await few.mint(KEY)
    assert over.value.retry_after >= 1
    assert over.value.headers == {"Retry-After": str(over.value.retry_after)}
    await few.mint((Subject("key", "key:2"),))


async def test_sessions_at_one_time(limits):
    few = limits({"key": Allowance(sessions=2), "address": Allowance(sessions=1)})
    few.room(KEY, lambda _: 1)
    with pytest.raises(OverLimit, match="2 sessions at one time are allowed for one key"):
        few.room(KEY, lambda _: 2)
    with pytest.raises(OverLimit, match="1 sessions at one time are allowed for one address"):
        few.room((*KEY, Subject("address", "10.0.0.1")), lambda _: 1)


async def test_minutes_and_money_of_a_day(limits):
    few = limits({"key": Allowance(minutes=2, dollars=0.5), "address": Allowance(minutes=1)})
    both = (*KEY, Subject("address", "10.0.0.1"))
    assert await few.begin(both) == Left(60, 0.5)
    assert await few.spend(both, seconds=40, micros=100_000) == Left(20, 0.4)
    assert await few.spend(KEY, seconds=40, micros=0) == Left(40, 0.4)
    assert await few.spend(both, seconds=90, micros=0) == Left(0, 0.4)
    with pytest.raises(OverLimit, match="talking time of one key for a day"):
        await few.begin(KEY)


async def test_the_money_of_a_day_is_gone(limits):
    few = limits({"user": Allowance(dollars=1)})
    who = (Subject("user", "user:ada"),)
    await few.spend(who, seconds=0, micros=999_999)
    assert (await few.begin(who)).dollars == pytest.approx(0.000001)
    assert (await few.spend(who, seconds=0, micros=5)).dollars == 0
    with pytest.raises(OverLimit, match="money of one user for a day"):
        await few.begin(who)


async def test_counts_that_cannot_be_asked():
    limits = Limits({"key": Allowance(mints=1, minutes=1)}, now=Clock(), storage=counts_at("redis://127.0.0.1:1/0"))
    for asking in (limits.mint(KEY), limits.begin(KEY)):
        with pytest.raises(LimitsUnknown):
            await asking
    await limits.close()


async def test_in_memory_what_is_over_is_forgotten(monkeypatch):
    now = 1_000.0
    monkeypatch.setattr("limits.aio.storage.memory.time.time", lambda: now)
    storage = MemoryStorage(wrap_exceptions=True)
    few = Limits({"key": Allowance(mints=1)}, now=lambda: now, storage=storage)
    await few.mint(KEY)
    with pytest.raises(OverLimit):
        await few.mint(KEY)
    now += 61
    await few.mint(KEY)


# Whose limits hold -----------------------------------------------------------------------------------

GRANT = Grant({}, 0, "key:1")


@pytest.mark.parametrize(
    ("principal", "kinds"),
    [
        (LOCAL, []),
        (LOCAL.with_grant(GRANT), []),
        (Principal("key:1"), ["key"]),
        (Principal("key:1").with_grant(GRANT), ["key", "address"]),
        (Principal("user:ada"), ["user", "address"]),
        (Principal("share:1"), ["key", "address"]),
    ],
)
def test_whose_limits_hold(principal: Principal, kinds: list[str]):
    assert [subject.kind for subject in subjects(principal, "10.0.0.1")] == kinds


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_is_a_household(address: str, name: str):
    assert subjects(Principal("user:ada"), address)[-1] == Subject("address", name)


def test_unlimited_is_the_absence_of_numbers():
    assert Allowance() == UNLIMITED
