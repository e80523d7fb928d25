"""A conversation over this machine's microphone and speaker, through ``sounddevice`` (the extra ``talk``).

The sound card calls from a thread of its own: what it hears crosses into the event loop by ``call_soon_threadsafe``,
what it plays waits for it in a :class:`Player`. What is spoken over is dropped, and the server is told how much of it
was heard (O-35).
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.pcm import SAMPLE_BYTES, duration_ms, samples_in
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame, Line

__all__ = ["NoSoundCard", "Player", "SoundCard", "converse"]

BLOCK = samples_in(20, HOUSE_RATE)
MAX_HEARD = 250
"""Blocks (5 s) that may wait for a slow connection; then the oldest goes."""


class NoSoundCard(Exception):
    """There is no microphone or speaker to use. The message says what to do."""


class Player:
    """What is still to be played, of one item at a time. The sound card's thread takes, the event loop adds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending = bytearray()
        self._item = ""
        self._played = 0

    def add(self, item: str, pcm: bytes) -> None:
        with self._lock:
            if item != self._item:
                self._item, self._played = item, -len(self._pending)  # the item before goes first
            self._pending += pcm

    def take(self, size: int) -> bytes:
        """The next bytes, filled up with silence."""
        with self._lock:
            pcm = bytes(self._pending[:size])
            del self._pending[:size]
            self._played += len(pcm)
        return pcm.ljust(size, b"\0")

    def drop(self) -> tuple[str, int] | None:
        """Forget the rest; the item and how many milliseconds of it were played, if any of it was left."""
        with self._lock:
            if not self._pending:
                return None
            self._pending.clear()
            return self._item, duration_ms(bytes(max(self._played, 0)), HOUSE_RATE)


class SoundCard:
    """Microphone and speaker at 24 kHz, 16 bit, mono."""

    def __init__(self) -> None:
        self.player = Player()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(MAX_HEARD)
        self._loop = asyncio.get_running_loop()

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Raises :class:`NoSoundCard`."""
        devices = _sounddevice()
        card = cls()
        form = {"samplerate": HOUSE_RATE, "channels": 1, "dtype": "int16", "blocksize": BLOCK}
        try:
            with (
                devices.RawInputStream(**form, callback=card.record),
                devices.RawOutputStream(**form, callback=card.play),
            ):
                yield card
        except devices.PortAudioError as error:
            raise NoSoundCard(f"Microphone or speaker cannot be opened: {error}. {_WITHOUT}") from None

    async def heard(self) -> bytes:
        return await self._heard.get()

    def record(self, data: Any, frames: int, time: Any, status: Any) -> None:
        self._loop.call_soon_threadsafe(self._hear, bytes(data))

    def play(self, data: Any, frames: int, time: Any, status: Any) -> None:
        data[:] = self.player.take(frames * SAMPLE_BYTES)

    def _hear(self, block: bytes) -> None:
        if self._heard.full():
            self._heard.get_nowait()
        self._heard.put_nowait(block)


_WITHOUT = "A recording works without: `vivavoce talk --wav question.wav`."


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError:
        raise NoSoundCard(f"The sound card needs one more package: pip install 'vivavoce[talk]'. {_WITHOUT}") from None
    except OSError:  # PortAudio itself is missing
        raise NoSoundCard(
            f"The library PortAudio is missing: on Debian and Ubuntu, apt install libportaudio2. {_WITHOUT}"
        ) from None
    return sounddevice


async def converse(line: Line, card: SoundCard, show: Callable[[str], None]) -> None:
    """Until the server ends it (raises ``Closed``) or the task is cancelled."""
    microphone = asyncio.create_task(_listen(line, card))
    try:
        while True:
            await _react(line, card.player, await line.receive(), show)
    finally:
        microphone.cancel()
        await asyncio.wait([microphone])


async def _listen(line: Line, card: SoundCard) -> None:
    with suppress(Closed):  # who receives hears of it too
        while True:
            await line.send(Frame(APPEND, {"type": APPEND}, await card.heard()))


async def _react(line: Line, player: Player, frame: Frame, show: Callable[[str], None]) -> None:
    match frame.type:
        case _ if frame.type == AUDIO_DELTA:
            player.add(str(frame.data.get("item_id")), frame.audio or b"")
        case "input_audio_buffer.speech_started":
            if dropped := player.drop():
                item, heard_ms = dropped
                truncate = {"item_id": item, "content_index": 0, "audio_end_ms": heard_ms}
                kind = "conversation.item.truncate"
                await line.send(Frame(kind, {"type": kind, **truncate}))
        case "conversation.item.input_audio_transcription.completed":
            show(f"You:    {frame.data.get('transcript')}")
        case "response.output_audio_transcript.done":
            show(f"Answer: {frame.data.get('transcript')}")
        case "vivavoce.turn":
            stages = ", ".join(f"{name.replace('_', ' ')} +{ms}" for name, ms in frame.data["stages"].items())
            show(f"        {frame.data['total']} ms after you stopped: {stages}")
        case "error":
            show(f"Error:  {(frame.data.get('error') or {}).get('message')}")
