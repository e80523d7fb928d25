"""Calls whose media goes straight between the client and another server: all that is known here is what they
are called on either side, for as long as such a call can last."""

from collections import OrderedDict
from collections.abc import Callable

__all__ = ["RelayedCalls"]

MAX_SECONDS = 3600.0
"""A session's longest life (S-46). Nobody tells us about an earlier end."""
MAX_CALLS = 10_000


class RelayedCalls:
    """From our call id to the other server's. ``now`` gives seconds. The oldest call makes room for one too many:
    it goes on, and only its hang-up through us is lost."""

    def __init__(self, *, now: Callable[[], float], limit: int = MAX_CALLS) -> None:
        self._now = now
        self._limit = limit
        self._calls: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def add(self, id: str, theirs: str) -> None:
        self._forget_old()
        if len(self._calls) >= self._limit:
            self._calls.popitem(last=False)
        self._calls[id] = (self._now(), theirs)

    def find(self, id: str) -> str | None:
        """The other server's name of the call."""
        self._forget_old()
        return self._calls[id][1] if id in self._calls else None

    def forget(self, id: str) -> None:
        self._calls.pop(id, None)

    def _forget_old(self) -> None:
        while self._calls and next(iter(self._calls.values()))[0] + MAX_SECONDS <= self._now():
            self._calls.popitem(last=False)
