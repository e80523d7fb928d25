"""A call whose media goes straight between client and upstream, listened to through a socket beside it (``?call_id=``).

Its line has to survive what the call survives. When the socket is cut it is opened again, and the gap is told; when
the upstream says that it knows the call no more, the call is over; when it cannot be listened to any longer, it is
hung up, since nothing that was promised about it could be kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.patience import Patience
from vivavoce.protocol.frame import GAP, Closed, Frame, Line

__all__ = ["Direct", "Tap"]

log = logging.getLogger(__name__)

Tap = Callable[[], Awaitable[Line]]
"""Opens the socket. Raises :class:`BackendError`: 404 where the upstream does not know the call."""

_UNKNOWN = "call_id_not_found"
"""The code of an upstream that lets others listen, and does not know this call (H-08)."""

_NOT_OFFERED = {400, 403, 404, 405, 426}
"""What a server answers that knows nothing of such sockets."""
_HUNG_UP = Closed(1000, "The call has ended.")
_LOST = Closed(1011, "The call can be listened to no longer, so it was hung up.")
_TOO_LONG = Closed(1001, "The call has lasted as long as a session may.")


class Direct:
    """A :class:`DirectLine`. ``seconds``: how long the call may still last. ``missed``: it went on before this began,
    and nobody listened. ``untapped`` is called where this upstream turns out to let nobody listen: then the call goes
    on unheard until it is hung up or its time is over."""

    def __init__(
        self,
        tap: Tap,
        hang_up: Callable[[], Awaitable[None]],
        patience: Patience,
        *,
        seconds: float,
        missed: bool = False,
        untapped: Callable[[], None] = lambda: None,
    ) -> None:
        self._open, self._hang_up, self._patience = tap, hang_up, patience
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + seconds
        self._untapped = untapped
        self._tap: Line | None = None
        self._tapped = asyncio.Event()
        self._heard = missed
        """Whether it has been listened to before."""
        self._lost_at: float | None = None
        self._missed = missed
        self._closed: Closed | None = None
        self.over = False

    async def receive(self) -> Frame:
        while self._closed is None:
            if self._tap is None:
                if gap := await self._attach():
                    return gap
                continue
            try:
                async with asyncio.timeout_at(self._until):
                    return self._renamed(await self._tap.receive())
            except TimeoutError:
                self._closed = _TOO_LONG
            except Closed as closed:
                await self._lose(closed)
        raise self._closed

    async def send(self, frame: Frame) -> None:
        """Waits while the socket is being opened again."""
        while self._closed is None:
            await self._tapped.wait()
            if self._tap is not None:
                await self._tap.send(frame)
                return
        raise self._closed

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._end(Closed(code, reason))
        tap, self._tap = self._tap, None
        try:
            if not self.over:
                await self._hang_up()
                self.over = True
        except BackendError as error:
            log.warning("a call could not be hung up: %s", error)
        finally:
            if tap is not None:
                await tap.close()

    async def _attach(self) -> Frame | None:
        """Opens the socket. The frame is the gap, if there was one."""
        attempt = 1
        while self._tap is None:
            try:
                self._tap = await self._open()
            except BackendError as error:
                if attempt == self._patience.tap_attempts or (self._heard and error.status == 404):
                    await self._give_up(error)
                    return None
                pause = self._patience.before(attempt, error.retry_after)
                await self._patience.sleep(self._patience.longest_pause if pause is None else pause)
                attempt += 1
        self._heard = True
        self._tapped.set()
        return self._gap()

    async def _give_up(self, refusal: BackendError) -> None:
        if refusal.status == 404 and (self._heard or refusal.body.get("code") == _UNKNOWN):
            self.over = True
            self._end(_HUNG_UP)
            return
        if self._heard or refusal.status not in _NOT_OFFERED:
            log.warning("a call cannot be listened to any longer: %s", refusal)
            self._end(_LOST)
            return
        log.warning("the upstream lets nobody listen to its calls, so this one goes on unheard: %s", refusal)
        self._untapped()
        await asyncio.sleep(self._until - self._clock())
        self._end(_TOO_LONG)

    async def _lose(self, closed: Closed) -> None:
        """The socket has ended: with the call, or without it."""
        assert self._tap is not None
        tap, self._tap = self._tap, None
        self._tapped.clear()
        await tap.close()
        if closed.code == 1000:
            self.over = True
            self._end(closed)
        else:
            log.warning("a call is not heard for now: code=%d reason=%r", closed.code, closed.reason)
            self._lost_at, self._missed = self._clock(), True

    def _gap(self) -> Frame | None:
        if not self._missed:
            return None
        self._missed = False
        seconds = None if self._lost_at is None else self._clock() - self._lost_at
        return Frame(GAP, {"type": GAP, "seconds": seconds})

    def _renamed(self, frame: Frame) -> Frame:
        """A socket that is opened again begins with ``session.created``; to who listened before, that is news of the
        session and no new one."""
        if frame.type != "session.created":
            return frame
        if self._lost_at is None:
            return frame
        return Frame("session.updated", {**frame.data, "type": "session.updated"})

    def _end(self, how: Closed) -> None:
        self._closed = self._closed or how
        self._tapped.set()
