"""Which dialect a connection speaks. Only what exists in the beta alone makes a client beta (H-43)."""

from collections.abc import Mapping
from typing import Any

from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.dialects.flat import BETA_ONLY
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import Frame

__all__ = ["Undecided", "asks_for_beta"]

_HEADER = "realtime=v1"
_UPDATES = {"session.update", "transcription_session.update"}


def asks_for_beta(header: str | None) -> bool:
    """Whether this ``OpenAI-Beta`` header names the beta of this API; it may name others' beside it."""
    return header is not None and _HEADER in (part.strip() for part in header.split(","))


class Undecided:
    """GA, unless the client's first update is one that only the beta has: then beta, for good. A first update that
    merely lacks its type is a mistake of a GA client (S-39)."""

    def __init__(self) -> None:
        self._dialect: Dialect = Ga()
        self._decided = False

    def decode(self, text: str | bytes) -> list[Frame]:
        frames = self._dialect.decode(text)
        if self._decided or frames[0].type not in _UPDATES:
            return frames
        self._decided = True
        if not _is_beta(frames[0].data):
            return frames
        self._dialect = Beta()
        return self._dialect.decode(text)

    def encode(self, frame: Frame) -> list[str]:
        return self._dialect.encode(frame)


def _is_beta(update: Mapping[str, Any]) -> bool:
    if update["type"] == "transcription_session.update":
        return True
    session = update.get("session")
    return isinstance(session, Mapping) and "type" not in session and not BETA_ONLY.isdisjoint(session)
