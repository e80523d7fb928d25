"""WAV files: any PCM width and channel count in, mono 16-bit out."""

import wave
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

__all__ = ["read_wav", "write_wav"]


def read_wav(source: Path | IO[bytes]) -> tuple[bytes, int]:
    """Mono int16 PCM and its rate; channels are averaged. Raises ``ValueError`` in plain words for
    what is no PCM WAV file, and ``OSError`` as ``open`` does."""
    try:
        with wave.open(str(source) if isinstance(source, Path) else source, "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a PCM WAV file: {error or 'it ends too early'}") from error
    if not 1 <= width <= 4 or not channels or not rate:
        raise ValueError("not a PCM WAV file: its header makes no sense")
    frames = len(data) // (width * channels)
    samples = _to_int16(data[: frames * width * channels], width)
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1).round().astype("<i2")
    return samples.tobytes(), rate


def _to_int16(data: bytes, width: int) -> npt.NDArray[np.int16]:
    """The top 16 bits of each sample. WAV's 8-bit samples are unsigned, all others signed."""
    if width == 1:
        return ((np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8).astype("<i2")
    by_byte = np.frombuffer(data, np.uint8).reshape(-1, width)
    return np.ascontiguousarray(by_byte[:, -2:]).reshape(-1).view("<i2")


def write_wav(target: Path | IO[bytes], pcm: bytes, rate: int) -> None:
    """A mono 16-bit WAV file."""
    with wave.open(str(target) if isinstance(target, Path) else target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
