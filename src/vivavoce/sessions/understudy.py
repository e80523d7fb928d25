"""Who answers, as a line that lasts as long as the session, whoever comes and goes behind it.

An upstream that breaks off is replaced by a new session of its own that knows what was said; before it would end by
its own clock, one that is quiet is replaced ahead of time. The client goes on in the same session: what was being said
ends as failed, what was asked and not granted is asked again, and an unanswered turn is answered::

    receive ── breaks off ──▶ end what was under way ──▶ open anew, with what was said ──▶ ask again ──▶ receive
    (quiet, late) ──▶ open anew, with what was said ──▶ still quiet? go over : try later
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from vivavoce.backends.history import History
from vivavoce.backends.interface import BackendError, SessionRequest
from vivavoce.protocol.frame import GAP, Closed, Frame, Line
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.endings import endings, silence, what_was_said
from vivavoce.sessions.recall import Recall

__all__ = ["LASTS", "ROLL_BEFORE", "House", "Tell", "Understudy"]

log = logging.getLogger(__name__)

LASTS = 3600.0
"""Seconds that a session of the API lasts (S-46)."""
ROLL_BEFORE = 300.0
"""Seconds before that, from which on the next quiet moment is used."""
QUIET_SECONDS = 5.0
"""Until it is looked again whether there is one."""
ILL_SECONDS = 10.0
"""Who breaks off again as soon as this is not tried once more."""
_BROKE_OFF = {1005, 1006, 1011, 1012, 1013, 1014}
"""Codes that end a connection and not a conversation (RFC 6455, 7.4.1)."""
_GOING_AWAY = 1001
"""What the API ends a session with whose time is up: a client is told so, unless it is one that goes on."""


class Tell(Protocol):
    def __call__(self, kind: str, **data: Any) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What it needs of the server. ``open`` is the backend's; ``fitting`` gives what may be told of what was said."""

    open: Callable[[SessionRequest], Awaitable[Line]]
    fitting: Callable[[Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]
    tell: Tell
    new_event: Callable[[], str]
    now: Callable[[], float]
    rolls: Callable[[], bool]
    """Whether the client goes on when the session's time is up; else it is told so, as the protocol has it."""


class Understudy:
    """A :class:`Line`. ``line`` was opened for ``request``; where that has a history, clients are told of it first."""

    def __init__(self, line: Line, request: SessionRequest, house: House) -> None:
        self._line, self._request, self._house = line, request, house
        self._recall = Recall(house.now, media=request.media, tools=(request.config or {}).get("tools"))
        self._told: deque[Frame] = deque()
        """Of our own, to be received before what comes next."""
        self._id: str | None = None
        self._conversation = request.history.conversation_id if request.history else None
        """By what names clients know the session and the conversation."""
        self._over: Closed | None = None
        self._moved = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._opened = self._clock()
        self._replaced: float | None = None
        """When somebody else went on because the one before broke off."""
        self._expired = False
        """The one who answers has said that its time is up."""
        self._rolling: asyncio.Task[None] | None = asyncio.create_task(self._roll(), name="rollover")

    async def receive(self) -> Frame:
        while True:
            if self._told:
                return self._told.popleft()
            line = self._line
            try:
                frame = await line.receive()
            except Closed as closed:
                if line is self._line:
                    await self._replace(closed)
                continue
            shown = self._shown(frame) if frame.audio is None else frame  # the hot path, for sound
            if shown is not None:
                self._recall.told(shown)
                if shown.type == "session.created" and self._unanswered():
                    await self._ask(line, self._event("response.create"))
                return shown

    async def send(self, frame: Frame) -> None:
        if frame.audio is None:
            self._recall.sent(frame)
        while True:
            line = self._line
            try:
                await line.send(frame)
                return
            except Closed:
                while line is self._line:  # until it has been replaced
                    await self._move()
                if frame in self._recall.asked:
                    return  # it has been asked again already

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._end(Closed(code, reason))
        if self._rolling is not None:
            self._rolling.cancel()
            await asyncio.wait([self._rolling])
            self._rolling = None  # how it ended holds all that it went through, this among it
        await self._line.close(code, reason)

    # What clients are shown -------------------------------------------------------------------------

    def _say(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            self._recall.told(frame)
            self._told.append(frame)

    def _shown(self, frame: Frame) -> Frame | None:
        """Under the names that clients know; None for what only we asked for."""
        data = frame.data
        match frame.type:
            case "session.created" if self._id is not None:
                self._recall.session = data.get("session") or {}
                return None
            case "session.created":
                self._id = str((data.get("session") or {}).get("id"))
                self._say(what_was_said(self._request.history, self._conversation, self._event))
            case "session.updated":
                return Frame(frame.type, {**data, "session": {**(data.get("session") or {}), "id": self._id}})
            case "response.created" | "response.done":
                return self._in_conversation(frame)
            case "error" if (data.get("error") or {}).get("code") == "session_expired":
                self._expired = True
                return None if self._house.rolls() else frame
        return frame

    def _in_conversation(self, frame: Frame) -> Frame:
        response = frame.data.get("response") or {}
        theirs = response.get("conversation_id")
        self._conversation = self._conversation or theirs
        if theirs in (None, self._conversation):
            return frame
        return Frame(frame.type, {**frame.data, "response": {**response, "conversation_id": self._conversation}})

    def _unanswered(self) -> bool:
        """Whether what was said before ended with a turn of the user's, whose words are known."""
        items = self._request.history.items if self._request.history else ()
        return bool(items) and items[-1].get("role") == "user" and _has_words(items[-1])

    # Somebody else goes on --------------------------------------------------------------------------

    async def _replace(self, closed: Closed) -> None:
        """Raises the end of the session where nobody else can go on."""
        if not self._may_replace(closed):
            self._end(closed)
            raise Closed(closed.code, closed.reason)
        log.warning("who answers broke off code=%d reason=%r; another goes on", closed.code, closed.reason)
        began, recall = self._clock(), self._recall
        lost = ["input_audio"] if recall.speaking or (recall.owed and not self._heard_last()) else []
        cut = any(each.in_conversation for each in recall.answering.values())
        unanswered = cut or (recall.owed and not lost)
        self._say(list(silence(recall, self._event)))
        recall.broken_off()
        self._say(list(endings(recall, self._event)))
        await self._line.close()
        try:
            line, kept = await self._open()
        except (BackendError, ProtocolError) as error:
            ended = Closed(1011, "Who answers broke off, and nobody else could go on.")
            self._end(ended)
            log.warning("nobody else could go on: %s", error)
            raise ended from None
        self._replaced = self._clock()
        self._say([Frame(GAP, {"type": GAP, "seconds": self._replaced - began})])
        await self._take_over(line, unanswered=unanswered)
        self._house.tell("restored", items=kept, missing=[*lost, *self._left_out(kept)])

    def _may_replace(self, closed: Closed) -> bool:
        """Not where it is the session that is over and not its connection, nor twice in a moment."""
        if self._over is not None or self._id is None:
            return False
        if self._expired or closed.code == _GOING_AWAY:
            return self._house.rolls()
        again = self._replaced is not None and self._clock() - self._replaced < ILL_SECONDS
        return closed.code in _BROKE_OFF and not again

    async def _take_over(self, line: Line, *, unanswered: bool) -> None:
        asked, self._recall.asked = [*self._recall.asked], deque(maxlen=self._recall.asked.maxlen)
        if unanswered and all(frame.type != "response.create" for frame in asked):
            asked.append(self._event("response.create"))
        for frame in asked:
            await self._ask(line, frame)
        self._line, self._opened, self._expired = line, self._clock(), False
        self._moved.set()

    async def _ask(self, line: Line, frame: Frame) -> None:
        """Of a line that has gone meanwhile, the next is asked."""
        self._recall.sent(frame)
        with suppress(Closed):
            await line.send(frame)

    async def _open(self) -> tuple[Line, int]:
        """Another session that knows what was said, and how many items of it."""
        items = self._house.fitting(self._recall.items())
        history = History(self._conversation, items)
        request = replace(self._request, config=self._recall.settings() or self._request.config, history=history)
        return await self._house.open(request), len(items)

    async def _roll(self) -> None:
        """Goes over to another session while it is quiet, before the time of this one is up."""
        while True:
            await asyncio.sleep(max(QUIET_SECONDS, self._opened + LASTS - ROLL_BEFORE - self._clock()))
            if not self._recall.quiet or not self._house.rolls():
                continue
            before, heard = self._line, self._recall.items()
            try:
                line, kept = await self._open()
            except (BackendError, ProtocolError) as error:
                log.warning("the next session could not be opened yet: %s", error)
                continue
            if self._said_since(before, heard):
                await line.close()
                continue
            log.info("the session is rolled over items=%d", kept)
            await self._take_over(line, unanswered=False)
            await before.close()
            if missing := self._left_out(kept):
                self._house.tell("restored", items=kept, missing=missing)

    def _said_since(self, line: Line, heard: Sequence[Mapping[str, Any]]) -> bool:
        return self._line is not line or not self._recall.quiet or self._recall.items() != heard

    def _heard_last(self) -> bool:
        """Whether the words of the last turn are known."""
        items = self._recall.items()
        return bool(items) and _has_words(items[-1])

    def _left_out(self, kept: int) -> list[str]:
        return ["older_items"] if kept < len(self._recall.items()) else []

    async def _move(self) -> None:
        """Until somebody else goes on. Raises the end of the session."""
        if self._over is not None:
            raise Closed(self._over.code, self._over.reason)
        self._moved.clear()
        await self._moved.wait()

    def _end(self, how: Closed) -> None:
        self._over = self._over or how.with_traceback(None)
        self._moved.set()

    def _event(self, type: str, **fields: Any) -> Frame:
        return Frame(type, {"type": type, "event_id": self._house.new_event(), **fields})


def _has_words(item: Mapping[str, Any]) -> bool:
    return any(part.get("transcript") or part.get("text") for part in item.get("content") or ())
