"""What the listener has heard, where the server plays (a media track): E-24, O-39, W-07.

A response's audio is ``started`` once, and then ``stopped`` or ``cleared`` once. Several responses may wait
in a row, since they are made faster than they sound. On a WebSocket the client plays and this stays idle.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass

from vivavoce.protocol.session.commands import RATE, FlushPlayback, Trim, to_ms, to_samples
from vivavoce.protocol.session.items import Content
from vivavoce.protocol.session.outbox import Outbox

__all__ = ["Playback"]


@dataclass(slots=True)
class _Sounding:
    response_id: str
    item_id: str
    content: Content
    heard_ms: int = 0


class Playback:
    def __init__(self, out: Outbox, conversation: Container[str], making: Callable[[str], bool]) -> None:
        """``conversation``: the ids of items whose cut is told. ``making(response_id)``: whether more audio of that
        response may come."""
        self._out, self._conversation, self._making = out, conversation, making
        self._queue: list[_Sounding] = []
        """Items whose audio has not all been heard, in the order they sound."""
        self._started: str | None = None
        """The response that was told to have started, until it is told to have ended."""
        self._drained = False

    @property
    def sounding(self) -> bool:
        return bool(self._queue)

    @property
    def left(self) -> float:
        """Seconds of what was made that have not been heard."""
        return sum(each.content.samples - to_samples(each.heard_ms) for each in self._queue) / RATE

    def queued(self, response_id: str, item_id: str, content: Content) -> None:
        """More audio of an item is on its way to the track."""
        self._drained = False
        if all(sounding.item_id != item_id for sounding in self._queue):  # a track plays an item in one piece
            self._queue.append(_Sounding(response_id, item_id, content))
        if self._started is None:
            self._start(response_id)

    def played(self, item_id: str, ms: int, *, drained: bool) -> None:
        """The track's word: this much of the item has been heard; ``drained``: nothing is left to play."""
        index = next((i for i, sounding in enumerate(self._queue) if sounding.item_id == item_id), None)
        if index is None:
            return  # flushed meanwhile
        del self._queue[:index]
        sounding = self._queue[0]
        sounding.heard_ms = ms
        if self._started != sounding.response_id:
            self._stop()
            self._start(sounding.response_id)
        self._drained = drained and len(self._queue) == 1  # else the next item is still on its way to the track
        self.settle()

    def settle(self) -> None:
        """Call when a response has ended too: its audio has stopped if all of it was heard."""
        if self._drained and self._started is not None and not self._making(self._started):
            self._queue.clear()
            self._stop()

    def flush(self) -> None:
        """Silence the track at once. The events that tell of it come with :meth:`cleared`."""
        for sounding in self._queue:
            self._out.command(FlushPlayback(sounding.item_id))

    def heard_from(self) -> list[str]:
        """The responses that sound, or will."""
        return list(dict.fromkeys(sounding.response_id for sounding in self._queue))

    def cleared(self) -> None:
        """After :meth:`flush`: tell what was cut, and keep of each item what was heard. Their responses have ended."""
        cut, self._queue = self._queue, []
        self._drained = False
        if self._started is not None:
            self._out.event("output_audio_buffer.cleared", response_id=self._started)
            self._started = None
        for sounding in cut:
            samples = to_samples(sounding.heard_ms)
            if samples >= sounding.content.samples:
                continue  # all of it was heard
            sounding.content.cut(samples)
            self._out.command(Trim(sounding.item_id, sounding.content.samples))
            if sounding.item_id not in self._conversation:
                continue  # deleted, or out of band (O-29)
            self._out.event(
                "conversation.item.truncated",
                item_id=sounding.item_id,
                content_index=0,
                audio_end_ms=to_ms(sounding.content.samples),
            )

    def _start(self, response_id: str) -> None:
        self._started = response_id
        self._out.event("output_audio_buffer.started", response_id=response_id)

    def _stop(self) -> None:
        if self._started is not None:
            self._out.event("output_audio_buffer.stopped", response_id=self._started)
            self._started = None
