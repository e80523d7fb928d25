"""What a session has used and what that costs, added up as its events pass (U-01, U-07), and its end when the money
is gone."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from vivavoce.access.prices import Prices
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.filters import Observer, Stopped
from vivavoce.sessions.notices import Notices
from vivavoce.store.responses import Response

__all__ = ["Costs", "Meter", "Purse", "SessionBudget"]

_TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


class Purse(Protocol):
    """Pays for sessions: a session's own budget, a share link, a key's day."""

    @property
    def limited(self) -> bool:
        """Whether it can be empty at all."""

    def debit(self, usd: Decimal) -> bool:
        """Takes it, even where there is too little left. Whether there is something left."""


class SessionBudget:
    limited = True

    def __init__(self, usd: Decimal) -> None:
        self.left = usd

    def debit(self, usd: Decimal) -> bool:
        self.left -= usd
        return self.left > 0


class Meter(Observer):
    """Where a session's usage becomes money. ``stop`` ends the session; it is called once, after
    the client was told of the response that was too much. A model without a known price cannot be paid from a purse,
    and ends the session too. ``charged`` is told of each answer and each transcription; ``agent`` says who speaks
    now, ``now`` gives unix seconds."""

    def __init__(
        self,
        prices: Prices,
        model: str,
        *,
        purses: Sequence[Purse] = (),
        stop: Callable[[Stopped], object],
        charged: Callable[[Response], object] = lambda response: None,
        agent: Callable[[], str | None] = lambda: None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._prices, self._model, self._purses, self._stop = prices, model, tuple(purses), stop
        self._charged, self._who, self._now = charged, agent, now
        self._agent = agent()
        """Who began to answer last: with the end of an answer another may have taken over."""
        self._transcriber = ""
        self._stopped = False
        self.usd: Decimal | None = Decimal(0)
        """What it has cost so far; None once something was used that has no known price."""
        self.responses = 0

    def __str__(self) -> str:
        """For the log."""
        return f"responses={self.responses} usd={'unknown' if self.usd is None else f'{self.usd:.4f}'}"

    def sees(self, type: str) -> bool:
        return type in ("session.created", "session.updated", "response.created", "response.done", _TRANSCRIBED)

    def told(self, frame: Frame) -> None:
        if frame.type == "response.created":
            self._agent = self._who()
        elif frame.type == "response.done":
            self.responses += 1
            self._answered(frame.data.get("response") or {})
        elif frame.type == _TRANSCRIBED and (usage := frame.data.get("usage")):
            usd = self._pay(self._transcriber, usage)
            self._note("transcription", str(frame.data.get("item_id")), "completed", self._transcriber, usage, usd)
        elif frame.type in ("session.created", "session.updated"):
            self._transcriber = _transcriber(frame.data.get("session") or {}) or self._transcriber

    def _answered(self, response: Mapping[str, Any]) -> None:
        usage = response.get("usage")
        usd = self._pay(self._model, usage) if usage else Decimal(0)
        status = str(response.get("status") or "completed")
        self._note("response", str(response.get("id") or self.responses), status, self._model, usage, usd)

    def _note(
        self, kind: str, id: str, status: str, model: str, usage: Mapping[str, Any] | None, usd: Decimal | None
    ) -> None:
        noted = Response(
            id=id, kind=kind, status=status, agent=self._agent, model=model, usage=usage, usd=usd, ended_at=self._now()
        )
        self._charged(noted)

    def _pay(self, model: str, usage: Mapping[str, Any]) -> Decimal | None:
        """What it costs; None where nobody here knows."""
        price = self._prices.find(model)
        if price is None:
            self.usd = None
            if any(purse.limited for purse in self._purses):
                self._end("price_unknown", f"This session has a budget, and what '{model}' costs is not known here.")
            return None
        cost = price.of(usage)
        if self.usd is not None:
            self.usd += cost
        paid = [purse.debit(cost) for purse in self._purses]
        if not all(paid):
            self._end("budget_exceeded", "The budget of this session is used up.")
        return cost

    def _end(self, code: str, message: str) -> None:
        if not self._stopped:
            self._stopped = True
            self._stop(Stopped(ProtocolError(code, message, type="insufficient_quota")))


class Costs(Observer):
    """Behind the meter: a notice of what the session has cost, whenever something was charged."""

    def __init__(self, meter: Meter, notices: Notices) -> None:
        self._meter, self._notices = meter, notices

    def sees(self, type: str) -> bool:
        return type in ("response.done", _TRANSCRIBED)

    def told(self, frame: Frame) -> None:
        usd = self._meter.usd
        self._notices.tell("cost", usd=None if usd is None else f"{usd:.6f}", responses=self._meter.responses)


def _transcriber(session: Mapping[str, Any]) -> str | None:
    hearing = (session.get("audio") or {}).get("input") or {}
    model = (hearing.get("transcription") or {}).get("model")
    return model if isinstance(model, str) else None
