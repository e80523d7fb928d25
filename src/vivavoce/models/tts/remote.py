"""A voice on another server: OpenAI's ``/audio/speech``, played as it is made."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from vivavoce.audio.resample import Resampler
from vivavoce.audio.wav_stream import PcmStream
from vivavoce.models.interfaces import ModelError
from vivavoce.models.remote.api import Api, Reply
from vivavoce.models.remote.errors import strange
from vivavoce.models.remote.place import Patience, Remote

__all__ = ["VOICES", "RemoteTts"]

RATE = 24_000
"""Of OpenAI's ``pcm``, and of those who follow it; one who says otherwise, in a WAV header or the type, is believed."""
SMALLEST, LARGEST = RATE // 100 * 2, RATE // 5 * 2
"""Bytes in 10 ms and in 200 ms: what a chunk has."""

VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip


_NO_PCM = frozenset({"application/json", "audio/mpeg", "audio/ogg", "audio/opus", "audio/aac", "audio/flac"})


class RemoteTts:
    """Implements ``Tts``; the settings are those of :class:`Remote`. Any name of a voice is passed on: what it stands
    for is the server's matter."""

    rate = RATE

    def __init__(
        self, *, url: str = "", model: str = "", key: str = "", key_env: str = "", patience: Patience | None = None
    ) -> None:
        remote = Remote.of("tts", url=url, model=model, key=key, key_env=key_env)
        self.name = remote.model
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
        if not 0.25 <= speed <= 1.5:
            raise ModelError(f"The voice cannot speak at speed {speed}: choose one from 0.25 to 1.5.")
        if not any(map(str.isalnum, text)):
            return
        body: dict[str, Any] = {"model": self.name, "input": text, "voice": voice, "response_format": "pcm"}
        if speed != 1.0:  # some servers know no other, and refuse the word
            body["speed"] = speed
        async with self._api.ask("POST", "/audio/speech", lambda: {"json": body}) as reply:
            async with aclosing(_sound(reply, self._api.remote)) as sound, aclosing(_pieces(sound)) as pieces:
                async for chunk in pieces:
                    yield chunk

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
