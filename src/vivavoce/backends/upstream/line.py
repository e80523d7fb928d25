"""A session at the upstream as a line: whose mistake an error tells of, and by what name the upstream knows it.

Several clients may speak in one session (sidebands, and we ourselves), while the upstream sees one. An event of any
but the session's own client goes out under an id of ours, so that an error finds its way back to who caused it, with
the id that was sent. The session's own client keeps its ids.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from vivavoce.protocol.frame import Frame, Line

__all__ = ["UpstreamLine"]

log = logging.getLogger(__name__)

MAX_REMEMBERED = 1024
"""Events that an error may still come back for; upstreams answer in order, within a few."""
_OURS = "ours"


class _Sent(NamedTuple):
    origin: str
    event_id: Any
    type: str


class UpstreamLine:
    """``new_id`` gives event ids that no client can guess; ``request_id`` is the upstream's, for the log."""

    def __init__(self, line: Line, *, new_id: Callable[[], str], request_id: str | None = None) -> None:
        self._line, self._new_id, self._request_id = line, new_id, request_id
        self._sent: OrderedDict[str, _Sent] = OrderedDict()
        self._put_back: deque[Frame] = deque()

    async def send(self, frame: Frame) -> None:
        await self._line.send(self._marked(frame, frame.origin) if frame.origin else frame)

    async def send_ours(self, frame: Frame) -> None:
        """An event that no client sent: the upstream's error for it is told to the log alone."""
        await self._line.send(self._marked(frame, _OURS))

    async def receive(self) -> Frame:
        if self._put_back:
            return self._put_back.popleft()
        while True:
            frame = await self._line.receive()
            if frame.type != "error":
                return frame
            error = frame.data.get("error")
            told = self._addressed(frame, error if isinstance(error, dict) else {})
            if told.origin != _OURS:
                return told

    def put_back(self, frames: Iterable[Frame]) -> None:
        """To be received again, before what comes next."""
        self._put_back.extend(frames)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._line.close(code, reason)

    def _marked(self, frame: Frame, origin: str) -> Frame:
        event_id = self._new_id()
        self._sent[event_id] = _Sent(origin, frame.data.get("event_id"), frame.type)
        if len(self._sent) > MAX_REMEMBERED:
            self._sent.popitem(last=False)
        return Frame(frame.type, {**frame.data, "event_id": event_id}, frame.audio)

    def _addressed(self, frame: Frame, error: dict[str, Any]) -> Frame:
        event_id = error.get("event_id")
        sent = self._sent.pop(event_id, None) if isinstance(event_id, str) else None
        log.warning(
            "upstream error code=%s request_id=%s of=%s message=%r",
            error.get("code"), self._request_id, sent.type if sent else None, error.get("message"),
        )  # fmt: skip
        if sent is None:
            return frame
        return Frame("error", {**frame.data, "error": {**error, "event_id": sent.event_id}}, origin=sent.origin)
