"""Which filters and observers a frame meets, found once for each type of frame.

What concerns none of them, a microphone's sound above all, passes at the price of one look-up.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from vivavoce.protocol.frame import Frame
from vivavoce.sessions.filters import Filter, Observer

__all__ = ["REMEMBERED", "Route", "Routes"]

REMEMBERED: Final = 256
"""Types; a client may make up any number of them."""

_Change = Callable[[Frame], Sequence[Frame]]
_Look = Callable[[Frame], None]


class Route(NamedTuple):
    """In the order in which they are met. Where a type concerns one filter it meets them all: what one makes of it may
    concern the next."""

    inward: tuple[_Change, ...]
    sent: tuple[_Look, ...]
    outward: tuple[_Change, ...]
    told: tuple[_Look, ...]


class Routes(dict[str, Route]):
    """The routes by type, each made when it is asked for."""

    def __init__(self, filters: Sequence[Filter], observers: Sequence[Observer]) -> None:
        self._filters, self._observers = tuple(filters), tuple(observers)

    def __missing__(self, type: str) -> Route:
        observers = [each for each in self._observers if each.sees(type)]
        route = Route(
            tuple(each.inward for each in self._through(type, Filter.inward)),
            tuple(each.sent for each in observers if _has(each, Observer.sent)),
            tuple(each.outward for each in reversed(self._through(type, Filter.outward))),
            tuple(each.told for each in observers if _has(each, Observer.told)),
        )
        if len(self) < REMEMBERED:
            self[type] = route
        return route

    def _through(self, type: str, way: Callable[..., Any]) -> Sequence[Filter]:
        filters = [each for each in self._filters if _has(each, way)]
        return filters if any(each.sees(type) for each in filters) else ()


def _has(one: Filter | Observer, inherited: Callable[..., Any]) -> bool:
    """Whether it has a method of its own in the place of the inherited one, which does nothing."""
    return getattr(type(one), inherited.__name__) is not inherited
