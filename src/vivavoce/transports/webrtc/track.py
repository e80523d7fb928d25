"""The outgoing sound: a packet every 20 ms while there is something to say, nothing otherwise (W-09)."""

import asyncio
from collections.abc import Callable

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import FRAME_BYTES, FRAME_MS, OpusEncoder
from vivavoce.protocol.frame import Frame
from vivavoce.transports.webrtc.arrival import TICKS
from vivavoce.transports.webrtc.pacing import EARLY, pacer
from vivavoce.transports.webrtc.playout import Playout

__all__ = ["Speaker"]

MAX_WAITING = 300
"""Seconds of unplayed audio; who sends more waits. It is this long because a line keeps its order: a flush
stands behind whatever waits for room, so no answer of usual length (205 s is the longest of OpenAI's) may
ever have to. 14 MB, at worst."""
TAIL_MS = 200
"""Milliseconds of silence after the last sound, before packets stop: the listener's decoder and jitter buffer
end on silence, not on a guess at more speech."""
MAX_LATE = 0.2
"""Seconds behind, after a stall of this process, that are still caught up with a burst of packets."""

_FRAME_TICKS = TICKS * FRAME_MS // 1000
_SILENCE = bytes(FRAME_BYTES)


class Speaker:
    """Plays items in real time by the event loop's clock, once it may begin. ``report`` is given the PLAYED frames.
    Ticks, 48,000 a second, count time, also while nothing is sent."""

    def __init__(self, report: Callable[[Frame], None]) -> None:
        self._report = report
        self._playout = Playout()
        self._encoder = OpusEncoder()
        self._room = asyncio.Event()
        self._send: Callable[[bytes, int, bool], None] | None = None
        self._start: float | None = None  # the loop's time at tick 0
        self._tick = 0  # of the next packet
        self._paced = False
        self._begins = True  # the next packet is the first after a silence
        self._held = False  # stands still
        self._stopped = False
        self._tail = 0  # silent packets still to send

    def begin(self, send: Callable[[bytes, int, bool], None] | None) -> None:
        """``send(packet, tick, begins)`` takes each packet; ``begins``: the first after a silence. None: nobody
        listens, and the answer takes its time all the same."""
        if self._start is None:
            self._send, self._start = send, asyncio.get_running_loop().time()
            self._go_on()

    async def put(self, item_id: str, pcm: bytes) -> None:
        """Queues audio of an item; waits while :data:`MAX_WAITING` seconds wait already."""
        while self._playout.waiting >= MAX_WAITING * HOUSE_RATE * 2 and not self._stopped:
            self._room.clear()
            await self._room.wait()
        self._playout.push(item_id, pcm)
        self._go_on()

    def rest(self) -> list[Frame]:
        """What was not played, as REST frames."""
        return self._playout.rest()

    def restore(self, rest: Frame) -> None:
        """Goes on with what the track of another call had not played."""
        self._playout.restore(rest)
        self._tell()
        self._go_on()

    def expect_loss(self, percent: int) -> None:
        """So much of what leaves does not arrive."""
        self._encoder.expect_loss(percent)

    def finish(self, item_id: str) -> None:
        """No more audio of this item will come, so its end will be the end."""
        self._playout.finish(item_id)
        self._tell()

    def flush(self, item_id: str | None) -> None:
        """Drops unplayed audio of an item, or all of it: the next packet is without it."""
        self._playout.flush(item_id)
        self._tell()

    def hold(self, *, on: bool) -> None:
        """Stands still, with the next packet, or goes on from where it stood."""
        self._held = on
        self._go_on()

    def stop(self) -> None:
        """Sends nothing more, and lets nobody wait."""
        self._stopped, self._send = True, None
        self._room.set()

    def _go_on(self) -> None:
        """Begins to send, if there is something to say and it is not sending: time has gone on."""
        if self._paced or self._held or self._stopped or self._start is None or not self._playout.waiting:
            return
        now = asyncio.get_running_loop().time()
        self._tick = max(self._tick, round((now - self._start) * TICKS))
        self._begins = self._paced = True
        if self._beat(now):
            pacer().join(self._beat, self._due())

    def _due(self) -> float:
        return (self._start or 0.0) + self._tick / TICKS

    def _beat(self, now: float) -> bool:
        """Sends what is due, and says whether more will be."""
        if now - self._due() > MAX_LATE:  # too late to catch up
            self._tick = round((now - (self._start or 0.0)) * TICKS)
        while self._due() <= now + EARLY:
            pcm = None if self._stopped else self._next()
            if pcm is None:
                self._paced = False
                return False
            if self._send is not None:
                self._send(self._encoder.encode(pcm), self._tick, self._begins)
            self._tick += _FRAME_TICKS
            self._begins = False
        return True

    def _next(self) -> bytes | None:
        pcm = None if self._held else self._playout.take()
        if pcm is not None:
            self._tail = TAIL_MS // FRAME_MS
            self._tell()
        elif self._tail:
            self._tail -= 1
            pcm = _SILENCE
        return pcm

    def _tell(self) -> None:
        self._room.set()
        for frame in self._playout.reports():
            self._report(frame)
