"""A voice on another server: OpenAI's ``/audio/speech``, played as it is made."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from vivavoce.audio.resample import Resampler
from vivavoce.audio.wav_stream import PcmStream
from vivavoce.models.remote.api import Api, Reply
from vivavoce.models.remote.errors import Refusal, strange
from vivavoce.models.remote.place import Patience, Remote
from vivavoce.models.tts.pieces import sayable

__all__ = ["VOICES", "RemoteTts"]

RATE = 24_000
"""Of OpenAI's ``pcm``, and of those who follow it; one who says otherwise, in a WAV header or the type, is believed."""
MAX_STRANGE = 256
"""Names of voices that are remembered as unknown there."""
SMALLEST, LARGEST = RATE // 100 * 2, RATE // 5 * 2
"""Bytes in 10 ms and in 200 ms: what a chunk has."""

VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
EVERYWHERE = frozenset({"alloy", "echo", "fable", "nova", "onyx", "shimmer"})
"""The first six, which every server of this API has."""
_STAND_INS = {
    "marin": "nova", "cedar": "onyx", "ash": "echo", "ballad": "fable", "coral": "shimmer", "sage": "alloy",
    "verse": "onyx",
}  # fmt: skip
_NO_PCM = frozenset({"application/json", "audio/mpeg", "audio/ogg", "audio/opus", "audio/aac", "audio/flac"})


class RemoteTts:
    """Implements ``Tts``; the settings are those of :class:`Remote`. Any name of a voice is passed on; one that the
    server refuses is replaced by one that every server has."""

    rate = RATE

    def __init__(
        self, *, url: str = "", model: str = "", key: str = "", key_env: str = "", patience: Patience | None = None
    ) -> None:
        remote = Remote.of("tts", url=url, model=model, key=key, key_env=key_env)
        self.name = remote.model
        self._strange: set[str] = set()
        self._api = Api(remote, patience)

    async def warm(self) -> None:
        """Raises :class:`ModelError` where the server cannot be reached or does not take the key."""
        await self._api.check()

    async def check(self) -> list[str] | None:
        """As :meth:`Api.check`."""
        return await self._api.check()

    def voices(self) -> Sequence[str]:
        return VOICES

    async def speak(
        self, text: str, voice: str, speed: float, language: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        if not sayable(text, speed):
            return
        while True:
            try:
                async with aclosing(self._spoken(text, self._known(voice), speed)) as spoken:
                    async for chunk in spoken:
                        yield chunk
                return
            except Refusal as error:  # nothing was given yet
                if not self._learnt(voice, error):
                    raise

    async def _spoken(self, text: str, voice: str, speed: float) -> AsyncGenerator[bytes, None]:
        body: dict[str, Any] = {"model": self.name, "input": text, "voice": voice, "response_format": "pcm"}
        if speed != 1.0:  # some servers know no other, and refuse the word
            body["speed"] = speed
        async with self._api.ask("POST", "/audio/speech", lambda: {"json": body}) as reply:
            async with aclosing(_sound(reply, self._api.remote)) as sound, aclosing(_pieces(sound)) as pieces:
                async for chunk in pieces:
                    yield chunk

    def _known(self, voice: str) -> str:
        return _STAND_INS.get(voice, "alloy") if voice in self._strange else voice

    def _learnt(self, voice: str, error: Refusal) -> bool:
        """Whether it was the voice's name that was refused, and there is another to try."""
        refused = error.status in (400, 404, 422) and "voice" in error.said.lower()
        if not refused or voice in EVERYWHERE or voice in self._strange or len(self._strange) >= MAX_STRANGE:
            return False
        self._strange.add(voice)
        return True

    async def close(self) -> None:
        await self._api.close()


async def _sound(reply: Reply, remote: Remote) -> AsyncGenerator[bytes, None]:
    """PCM at :data:`RATE`, cut anywhere. Raises :class:`ModelError` for what is no PCM."""
    if reply.kind.startswith("text/") or reply.kind in _NO_PCM:
        raise strange(remote, f"asked for PCM, it sent {reply.kind}")
    stream, resampler = PcmStream(_told_rate(reply)), None
    async with aclosing(reply.chunks()) as chunks:
        async for chunk in chunks:
            try:
                pcm = stream.push(chunk)
            except ValueError as error:
                raise strange(remote, f"it sent sound that cannot be used: {error}") from None
            if pcm:
                resampler = resampler or Resampler(stream.rate, RATE)
                yield resampler.push(pcm)
    if resampler:
        yield resampler.finish()


async def _pieces(sound: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same sound in chunks of :data:`SMALLEST` to :data:`LARGEST` bytes; the last may be smaller."""
    held = b""
    async for pcm in sound:
        held += pcm
        while len(held) >= SMALLEST:
            yield held[:LARGEST]
            held = held[LARGEST:]
    if held:
        yield held


def _told_rate(reply: Reply) -> int:
    """``audio/pcm;rate=22050``."""
    rate = reply.parameters.get("rate", "")
    return int(rate) if rate.isdecimal() and int(rate) else RATE
