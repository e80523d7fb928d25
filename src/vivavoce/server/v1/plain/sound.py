"""Sound in the formats that OpenAI's clients send and ask for. All of it takes a processor's time: call it in a thread.

What somebody sends is opened as one of a few formats and as nothing else: FFmpeg knows formats that make it read files
and fetch addresses.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from typing import IO, Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from vivavoce.audio.wav import write_wav
from vivavoce.server.v1.plain.sound_shapes import Format

__all__ = ["MAX_SECONDS", "Encoder", "TooLong", "UnknownSound", "decoded", "seconds"]

MAX_SECONDS: Final = 1800
"""Of one recording. 25 MB of Opus can be nine hours, and a gigabyte as PCM."""

_CODECS: Final = {
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
    "aac": ("adts", "aac"),
    "flac": ("flac", "flac"),
}
_READ: Final = "aac,aiff,amr,caf,flac,matroska,mov,mp3,ogg,w64,wav"
"""Demuxers, by FFmpeg's names: .webm is matroska, .mp4 and .m4a are mov."""
_OPENED: Final = {"format_whitelist": _READ, "protocol_whitelist": ""}
_LEAST_RATE, _MOST_RATE, _MOST_SAMPLES = 4_000, 384_000, 1_000_000
"""Of a frame. A file that says it has one sample a second would become hours of sound."""
_UNENDING: Final = 0xFFFFFFFF


class UnknownSound(ValueError):
    """This is no sound in a format that is known here."""


class TooLong(ValueError):
    """It lasts for more than :data:`MAX_SECONDS`."""


class Encoder:
    """One stream of mono 16-bit PCM at ``rate``."""

    def __init__(self, format: Format, rate: int) -> None:
        self._rate = rate
        self._sink = BytesIO()
        self._encode, self._close = self._plain(format) if format in ("pcm", "wav") else self._coded(format)

    def push(self, pcm: bytes) -> bytes:
        """What is ready of the file with these samples."""
        self._encode(pcm)
        return self._take()

    def finish(self) -> bytes:
        """The rest of it."""
        self._close()
        return self._take()

    def _plain(self, format: Format) -> tuple[Callable[[bytes], object], Callable[[], object]]:
        if format == "wav":
            write_wav(self._sink, b"", self._rate)
            header = bytearray(self._sink.getvalue())
            header[4:8] = header[40:44] = _UNENDING.to_bytes(4, "little")  # how long it will be nobody knows
            self._sink = BytesIO()
            self._sink.write(header)
        return (lambda pcm: self._sink.write(pcm)), (lambda: None)

    def _coded(self, format: Format) -> tuple[Callable[[bytes], object], Callable[[], object]]:
        container_name, codec = _CODECS[format]
        container = av.open(_Pipe(self._sink_write), "w", format=container_name)
        assert isinstance(container, OutputContainer)
        stream = container.add_stream(codec, rate=self._rate, layout="mono")
        assert isinstance(stream, AudioStream)
        resampler = AudioResampler(format=stream.format.name, layout="mono", rate=self._rate)
        made = 0

        def encode(pcm: bytes) -> None:
            nonlocal made
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = self._rate, made, Fraction(1, self._rate)
            made += frame.samples
            for each in resampler.resample(frame):
                container.mux(stream.encode(each))

        def close() -> None:
            container.mux(stream.encode(None))
            container.close()

        return encode, close

    def _sink_write(self, data: bytes) -> int:
        return self._sink.write(data)

    def _take(self) -> bytes:
        data = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return data


class _Pipe:
    """What FFmpeg writes into; it cannot go back."""

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self.write = write


def decoded(file: IO[bytes], rate: int) -> bytes:
    """The sound of a file as mono PCM at ``rate``. Raises :class:`UnknownSound` and :class:`TooLong`."""
    pcm, most = bytearray(), MAX_SECONDS * rate * 2
    try:
        with av.open(file, "r", options=_OPENED, metadata_errors="replace") as container:
            for frame in _resampled(container, rate):
                pcm += bytes(frame.planes[0])[: frame.samples * 2]
                if len(pcm) > most:
                    raise TooLong
    except (UnknownSound, TooLong):
        raise
    except (av.FFmpegError, ValueError, OverflowError) as error:  # the others: headers that make no sense
        raise UnknownSound from error
    return bytes(pcm)


def _resampled(container: InputContainer, rate: int) -> Iterator[av.AudioFrame]:
    if not container.streams.audio:
        raise UnknownSound
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    for frame in container.decode(audio=0):
        if not _LEAST_RATE <= frame.sample_rate <= _MOST_RATE or frame.samples > _MOST_SAMPLES:
            raise UnknownSound
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def seconds(file: IO[bytes]) -> float:
    """How long it lasts. Raises as :func:`decoded` does."""
    return len(decoded(file, 8000)) / 16_000
