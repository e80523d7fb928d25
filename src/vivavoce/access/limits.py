"""How much one key, one user and one address may have: sessions at a time, ephemeral keys a minute, minutes and money a
day. What was used is counted in memory, or in Redis for several processes together.

A standard key is an app's server, which speaks for many: it has the limits of its key. Whatever comes from a page, by
ephemeral key, user token or share link, has those of its address too. Alone on one's own machine there are none.
"""

import ipaddress
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from limits import RateLimitItemPerDay, RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from vivavoce.access.counts import close_counts, counts_at
from vivavoce.access.principal import Principal

__all__ = [
    "UNLIMITED",
    "Allowance",
    "Kind",
    "Left",
    "Limits",
    "LimitsUnknown",
    "OverLimit",
    "Subject",
    "UsedUp",
    "network",
    "subjects",
]

Kind = Literal["key", "user", "address"]

AGAIN_SECONDS: Final = 10
"""When to ask again for a place among sessions; nobody knows when one ends."""
MICRO: Final = 1_000_000
"""Money is counted in millionths of a dollar."""


class Subject(NamedTuple):
    """Whom a limit holds for."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """None is without limit."""

    sessions: int | None = None
    """At one time, in this process."""
    mints: int | None = None
    """Ephemeral keys a minute."""
    minutes: int | None = None
    """Of talking, a day."""
    dollars: float | None = None
    """A day."""


UNLIMITED: Final = Allowance()


class OverLimit(Exception):
    """``retry_after`` is in seconds. The message is for the person in front of the page."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(retry_after))

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class UsedUp(OverLimit):
    """What was allowed for a day is gone."""


class LimitsUnknown(Exception):
    """What was used is counted elsewhere, and there it cannot be asked now."""


class Left(NamedTuple):
    """Of a day; infinite without limit."""

    seconds: float
    dollars: float


class Limits:
    """``allowances`` by the kind of subject; ``now`` gives unix seconds."""

    def __init__(
        self, allowances: Mapping[Kind, Allowance], *, now: Callable[[], float], storage: Storage | None = None
    ) -> None:
        self._allowances, self._now = dict(allowances), now
        self._counts = FixedWindowRateLimiter(storage or counts_at("memory://"))

    async def mint(self, who: tuple[Subject, ...]) -> None:
        """One ephemeral key more. Raises :class:`OverLimit`."""
        for subject in who:
            if (mints := self._of(subject).mints) is None:
                continue
            item = RateLimitItemPerMinute(mints, namespace="vivavoce")
            try:
                if await self._counts.hit(item, "mints", *subject):
                    continue
                reset = (await self._counts.get_window_stats(item, "mints", *subject)).reset_time
            except StorageError as error:
                raise LimitsUnknown from error
            raise OverLimit(
                f"Too many ephemeral keys: {mints} a minute are allowed for one {subject.kind}.", reset - self._now()
            )

    def room(self, who: tuple[Subject, ...], live: Callable[[Subject], int]) -> None:
        """Whether there is room for one session more, beside those that are ``live``. Raises :class:`OverLimit`."""
        for subject in who:
            most = self._of(subject).sessions
            if most is not None and live(subject) >= most:
                raise OverLimit(f"{most} sessions at one time are allowed for one {subject.kind}.", AGAIN_SECONDS)

    async def begin(self, who: tuple[Subject, ...]) -> Left:
        """What is left of the day for a session. Raises :class:`OverLimit` where that is nothing."""
        for subject in who:
            left = await self._spend(subject, 0, 0)
            if left.seconds <= 0 or left.dollars <= 0:
                what = "talking time" if left.seconds <= 0 else "money"
                retry = await self._reset(subject, "seconds" if left.seconds <= 0 else "dollars")
                raise UsedUp(f"The {what} of one {subject.kind} for a day is used up.", retry - self._now())
        return await self.spend(who, seconds=0, micros=0)

    async def spend(self, who: tuple[Subject, ...], *, seconds: int, micros: int) -> Left:
        """Notes what was used, in seconds and millionths of a dollar; what is left then, for the one with the least."""
        left = [await self._spend(subject, seconds, micros) for subject in who]
        return Left(
            min((each.seconds for each in left), default=math.inf),
            min((each.dollars for each in left), default=math.inf),
        )

    async def _spend(self, subject: Subject, seconds: int, micros: int) -> Left:
        allowance = self._of(subject)
        minutes, dollars = allowance.minutes, allowance.dollars
        return Left(
            await self._count(subject, "seconds", None if minutes is None else minutes * 60, seconds),
            await self._count(subject, "dollars", None if dollars is None else round(dollars * MICRO), micros) / MICRO,
        )

    async def _count(self, subject: Subject, what: str, most: int | None, used: int) -> float:
        """What is left. A count may go beyond its limit: what was used was used."""
        if most is None:
            return math.inf
        item = _day(most)
        try:
            if used and not await self._counts.hit(item, what, *subject, cost=used):
                return 0
            return (await self._counts.get_window_stats(item, what, *subject)).remaining
        except StorageError as error:
            raise LimitsUnknown from error

    async def _reset(self, subject: Subject, what: str) -> float:
        allowance = self._of(subject)
        most = (allowance.minutes or 0) * 60 if what == "seconds" else round((allowance.dollars or 0) * MICRO)
        return float((await self._counts.get_window_stats(_day(most), what, *subject)).reset_time)

    async def close(self) -> None:
        await close_counts(self._counts.storage)

    def _of(self, subject: Subject) -> Allowance:
        return self._allowances.get(subject.kind, UNLIMITED)


def subjects(principal: Principal, address: str) -> tuple[Subject, ...]:
    """Whose limits hold for ``principal`` at ``address`` (an IP address, as text)."""
    if principal.kind == "local":
        return ()
    found = []
    if principal.kind in ("key", "share"):
        found.append(Subject("key", principal.name))
    elif principal.kind == "user":
        found.append(Subject("user", principal.name))
    if principal.kind != "key" or principal.grant is not None:
        found.append(Subject("address", network(address)))
    return tuple(found)


def network(address: str) -> str:
    """A household has one IPv4 address, but a whole /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def _day(most: int) -> RateLimitItemPerDay:
    return RateLimitItemPerDay(most, namespace="vivavoce")
