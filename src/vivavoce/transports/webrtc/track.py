"""The outgoing audio track: a packet every 20 ms while there is something to say, nothing otherwise (W-09).

It hands aiortc Opus packets rather than samples: encoding a frame takes some 0.1 ms, less than the trip
to a thread and back, and mono speech needs neither its stereo nor its resampler's thread pool.
"""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import FRAME_BYTES, FRAME_MS, OpusEncoder
from vivavoce.protocol.frame import Frame
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

CLOCK_RATE = 48_000
"""Ticks a second of Opus in RTP, whatever rate is inside (RFC 7587, 4.1)."""
_TICKS = CLOCK_RATE * FRAME_MS // 1000
_TIME_BASE = Fraction(1, CLOCK_RATE)
_SILENCE = bytes(FRAME_BYTES)


class Speaker(MediaStreamTrack):
    """Plays items in real time by the event loop's clock. ``report`` is given the PLAYED frames. RTP
    timestamps count time, also while nothing is sent."""

    kind = "audio"

    def __init__(self, report: Callable[[Frame], None]) -> None:
        super().__init__()
        self._report = report
        self._playout = Playout()
        self._encoder = OpusEncoder()
        self._changed = asyncio.Event()  # something to play, or room for more
        self._held = False  # stands still
        self._tail = 0  # silent packets still to send
        self._start: float | None = None  # the loop's time at tick 0
        self._tick = 0  # of the next packet

    async def put(self, item_id: str, pcm: bytes) -> None:
        """Queues audio of an item; waits while :data:`MAX_WAITING` seconds wait already."""
        while self._playout.waiting >= MAX_WAITING * HOUSE_RATE * 2 and self.readyState == "live":
            await self._change()
        self._playout.push(item_id, pcm)
        self._changed.set()

    def rest(self) -> list[Frame]:
        """What was not played, as REST frames."""
        return self._playout.rest()

    def restore(self, rest: Frame) -> None:
        """Goes on with what the track of another call had not played."""
        self._playout.restore(rest)
        self._tell()

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
        self._changed.set()

    def stop(self) -> None:
        super().stop()
        self._changed.set()

    async def recv(self) -> "Packet[Any]":
        """The next packet, at its time. aiortc calls this in a loop."""
        pcm: bytes | None = None
        while pcm is None:
            if self.readyState != "live":
                raise MediaStreamError
            if not self._tail:
                await self._something_to_say()
            await self._until_due()
            pcm = self._next()
        packet = Packet(self._encoder.encode(pcm))
        packet.pts, packet.time_base = self._tick, _TIME_BASE
        self._tick += _TICKS
        return packet

    async def _something_to_say(self) -> None:
        while (self._held or not self._playout.waiting) and self.readyState == "live":
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _until_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._start is None:
            self._start = now
        due = self._start + self._tick / CLOCK_RATE
        if now < due:
            await asyncio.sleep(due - now)
        elif not self._tail or now - due > MAX_LATE:  # after a pause, or too late to catch up: time has gone on
            self._tick = round((now - self._start) * CLOCK_RATE)

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
        self._changed.set()
        for frame in self._playout.reports():
            self._report(frame)
