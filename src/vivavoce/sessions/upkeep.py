"""What goes on beside a live session: its time is charged, and it ends when it has lasted too long, when nobody has
said anything for too long, or when there is nothing left to pay for it."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from vivavoce.access.limits import MICRO, Left
from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.filters import Observer, Stopped
from vivavoce.sessions.live import Live

__all__ = ["CHARGE_SECONDS", "Account", "Lasting", "Over", "Upkeep"]

log = logging.getLogger(__name__)

CHARGE_SECONDS = 10.0
"""How often what was used is charged, so how much later than another session of the same account one may notice."""
LEAST_SECONDS = 0.05
"""Between two looks."""


class Over(Exception):
    """The account is no good any more; the message is for the client."""


Charge = Callable[[int, int], Awaitable[Left]]
"""Notes seconds and millionths of a dollar; what is left then. Raises :class:`Over` when it has noted them, and the
account is no good any more; where it raises anything else, they are not noted."""


class Account:
    """A :class:`~vivavoce.sessions.observers.usage.Purse` for one session, on an account that others may share.

    What was used is kept here until :meth:`settle`, in whole seconds and millionths; the rest waits for the next."""

    def __init__(self, charge: Charge, left: Left) -> None:
        self._charge = charge
        self._left = left
        self._seconds = 0.0
        self._micros = 0.0
        self._charging = asyncio.Lock()

    @property
    def limited(self) -> bool:
        return self._left.dollars < math.inf

    def debit(self, usd: Decimal) -> bool:
        self._micros += float(usd) * MICRO
        return self._left.dollars * MICRO > self._micros

    def pass_time(self, seconds: float) -> None:
        self._seconds += seconds

    def seconds_left(self) -> float:
        return self._left.seconds - self._seconds

    async def settle(self) -> None:
        """Raises :class:`Over`. A charge that has begun is made whoever is cancelled meanwhile, and the next one waits
        for it: so nothing is charged twice."""
        settling = asyncio.create_task(self._settle())
        settling.add_done_callback(lambda it: it.cancelled() or it.exception())  # where nobody waits for it any more
        await asyncio.shield(settling)

    async def _settle(self) -> None:
        async with self._charging:
            seconds, micros = int(self._seconds), int(self._micros)
            try:
                left = self._left = await self._charge(seconds, micros)
            except Over:
                self._noted(seconds, micros)
                raise
            self._noted(seconds, micros)
        if left.seconds <= 0 or left.dollars <= 0:
            raise Over(f"The {'talking time' if left.seconds <= 0 else 'money'} that this session had is used up.")

    def _noted(self, seconds: int, micros: int) -> None:
        self._seconds -= seconds
        self._micros -= micros


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session may last; None is as long as it likes."""

    seconds: float | None = None
    silence: float | None = None
    """Seconds in which nothing is said, typed or answered."""


class Upkeep(Observer):
    """It watches the session, so that it knows when something was said. ``now`` gives seconds."""

    def __init__(self, live: Live, account: Account, lasting: Lasting, now: Callable[[], float]) -> None:
        self._live, self._account, self._lasting, self._now = live, account, lasting, now
        self._began = self._settled = self._heard = now()

    def sees(self, type: str) -> bool:
        return type != APPEND  # a microphone that is open sends those all the time

    def sent(self, frame: Frame) -> None:
        self._heard = self._now()

    def told(self, frame: Frame) -> None:
        self._heard = self._now()

    async def run(self) -> None:
        """Until it has ended the session, or is cancelled; then :meth:`settle`."""
        while (stop := self._why_over()) is None:
            await asyncio.sleep(self._until_next())
            try:
                await self.settle()
            except Over as over:
                stop = _stopped("budget_exceeded", str(over), "insufficient_quota")
                break
            except Exception:
                log.exception("what was used could not be charged; it will be tried again")
        log.info("the session is ended: %s", stop.error.message)
        self._live.end(stop)

    async def settle(self) -> None:
        """Charges what was used since the last time. Raises :class:`Over`."""
        now = self._now()
        self._account.pass_time(now - self._settled)
        self._settled = now
        await self._account.settle()

    def _why_over(self) -> Stopped | None:
        now, most, silence = self._now(), self._lasting.seconds, self._lasting.silence
        if most is not None and now - self._began >= most:
            words = f"Your session hit the maximum duration of {most / 60:g} minutes."
            return _stopped("session_expired", words)
        if silence is not None and now - self._heard >= silence:
            return _stopped("session_idle", f"Nothing was said for {silence / 60:g} minutes, so the session is over.")
        return None

    def _until_next(self) -> float:
        now, most, silence = self._now(), self._lasting.seconds, self._lasting.silence
        until = [CHARGE_SECONDS, self._account.seconds_left() - (now - self._settled)]
        until += [] if most is None else [self._began + most - now]
        until += [] if silence is None else [self._heard + silence - now]
        return max(LEAST_SECONDS, min(until))


def _stopped(code: str, message: str, type: str = "invalid_request_error") -> Stopped:
    return Stopped(ProtocolError(code, message, type=type))
