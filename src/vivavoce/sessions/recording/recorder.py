"""Records a session as its frames pass: an observer that places each sound on the timeline, and a writer beside it.

A frame costs microseconds; once a second the writer takes what is certain and encodes it in a thread. Where it cannot
keep up, or the disk is full, the recording ends there: the session goes on, and it is said.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Final

from vivavoce.engine.formats import Decoder
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, HOLD, PLAYED, Closed, Frame
from vivavoce.protocol.wire.config import Format, Pcm, Pcma, Pcmu
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.recording.file import OpusFile
from vivavoce.sessions.recording.recorded import Recorded
from vivavoce.sessions.recording.timeline import Timeline

__all__ = ["BEHIND_SECONDS", "WRITE_SECONDS", "Recorder"]

log = logging.getLogger(__name__)

WRITE_SECONDS: Final = 1.0
"""How often is written; with the second that the timeline holds back, what a crash loses at most."""
BEHIND_SECONDS: Final = 30.0
"""How far the writer may be behind: 3 MB of sound."""
_FORMATS: Final[Mapping[Any, type[Pcma] | type[Pcmu]]] = {"audio/pcma": Pcma, "audio/pcmu": Pcmu}
_INTERRUPTS: Final = "input_audio_buffer.speech_started"


class Recorder(Observer):
    """With a writer beside it. ``now`` gives seconds; ``media``: the client is a track. ``open``
    makes the file; ``tell`` is awaited with how far it has come, once a second and at the end, and says whether it is
    still wanted. ``wanted`` is asked with every sound: an agent that hands over may hand over to one that keeps
    none."""

    def __init__(
        self,
        now: Callable[[], float],
        open: Callable[[], Awaitable[BinaryIO]],
        tell: Callable[[Recorded], Awaitable[bool]],
        *,
        media: bool,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._now, self._open, self._tell, self._media, self._wanted = now, open, tell, media, wanted
        self._timeline = Timeline(now(), media=media)
        self._over = asyncio.Event()
        self._taking = True
        self._ears = {"input": Decoder(Pcm()), "output": Decoder(Pcm())}
        self._interrupts = True
        self._takes: dict[str, Callable[[Frame, float], None]] = {
            AUDIO_DELTA: self._sound,
            FLUSH: self._flushed,
            HOLD: self._held,
            PLAYED: self._played,
            _INTERRUPTS: self._interrupted,
            "conversation.item.truncated": self._truncated,
            "session.created": self._configured,
            "session.updated": self._configured,
        }

    def sees(self, type: str) -> bool:
        return type == APPEND or type in self._takes

    def sent(self, frame: Frame) -> None:
        if frame.type == PLAYED:
            self.told(frame)
        elif (
            frame.type == APPEND
            and frame.audio is not None
            and not frame.origin
            and self._takes_sound(now := self._now())
        ):
            self._timeline.user(now, self._heard("input", frame.audio))

    def told(self, frame: Frame) -> None:
        if (take := self._takes.get(frame.type)) and self._takes_sound(now := self._now()):
            take(frame, now)

    async def run(self) -> None:
        """Until :meth:`finish`, and all is written."""
        try:
            raw = await self._open()
        except OSError as error:
            self._stop(f"no file can be made: {error.strerror}")
            await self._tell(Recorded(0, 0, "broken"))
            return
        file = await asyncio.to_thread(OpusFile, raw)
        try:
            await self._write(file, raw)
        finally:
            await self._close(file, raw)

    async def finish(self, how: Closed) -> None:
        """The session is over: :meth:`run` writes what is left, and ends."""
        self._over.set()

    # The file -------------------------------------------------------------------------------------------

    async def _write(self, file: OpusFile, raw: BinaryIO) -> None:
        over = False
        while self._taking and not over:
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._over.wait()
            over, now = self._over.is_set(), self._now()
            pcm = self._timeline.finish(now) if over else self._timeline.take(now)
            try:
                await asyncio.to_thread(file.write, pcm)
                if not await self._tell(Recorded(file.ms, raw.tell(), "recording")):
                    self._stop("it is not wanted any more")
            except OSError as error:
                self._stop(f"it cannot be written: {error.strerror}")

    async def _close(self, file: OpusFile, raw: BinaryIO) -> None:
        try:
            size = await asyncio.to_thread(file.close)
        except OSError as error:
            size = 0
            self._stop(f"its end cannot be written: {error.strerror}")
        await self._tell(Recorded(file.ms, size, "complete" if self._taking else "broken"))

    def _takes_sound(self, now: float) -> bool:
        if not self._wanted():
            return False
        if self._taking and self._timeline.behind(now) > BEHIND_SECONDS:
            self._stop(f"{BEHIND_SECONDS:g} seconds wait to be written")
        return self._taking

    def _stop(self, why: str) -> None:
        self._taking = False
        log.warning("the recording ends here: %s", why)

    # The frames -----------------------------------------------------------------------------------------

    def _sound(self, frame: Frame, now: float) -> None:
        if frame.audio is not None:
            self._timeline.assistant(now, str(frame.data.get("item_id")), self._heard("output", frame.audio))

    def _played(self, frame: Frame, now: float) -> None:
        data = frame.data
        self._timeline.played(now, data["item_id"], data["audio_ms"], drained=data["drained"])

    def _flushed(self, frame: Frame, now: float) -> None:
        self._timeline.flushed(frame.data.get("item_id"))

    def _held(self, frame: Frame, now: float) -> None:
        if not self._media:
            self._timeline.held(now, on=frame.data["on"])

    def _interrupted(self, frame: Frame, now: float) -> None:
        if self._interrupts and not self._media:
            self._timeline.interrupted(now)

    def _truncated(self, frame: Frame, now: float) -> None:
        if not self._media:
            self._timeline.truncated(str(frame.data.get("item_id")), int(frame.data.get("audio_end_ms") or 0))

    def _configured(self, frame: Frame, now: float) -> None:
        audio = (frame.data.get("session") or {}).get("audio") or {}
        detection = (audio.get("input") or {}).get("turn_detection") or {}
        self._interrupts = detection.get("interrupt_response", True) is not False
        if not self._media:
            for side, ear in self._ears.items():
                format = _format((audio.get(side) or {}).get("format"))
                if type(format) is not type(ear.format):
                    self._ears[side] = Decoder(format)

    def _heard(self, side: str, audio: bytes) -> bytes:
        try:
            return self._ears[side].push(audio)
        except ProtocolError:  # half a sample: whoever answers refuses it
            return b""


def _format(told: Any) -> Format:
    kind = told.get("type") if isinstance(told, Mapping) else None
    return _FORMATS[kind]() if kind in _FORMATS else Pcm()
