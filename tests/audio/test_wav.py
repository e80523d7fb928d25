"""WAV files of every PCM width, and what is none."""

import io
import wave
from pathlib import Path

import pytest

from vivavoce.audio.wav import read_wav, write_wav


def wav(frames: bytes, width: int, channels: int = 1, rate: int = 8_000) -> io.BytesIO:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(frames)
    buffer.seek(0)
    return buffer


def test_round_trip(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", b"\1\2\3\4", 24_000)
    assert read_wav(tmp_path / "a.wav") == (b"\1\2\3\4", 24_000)


@pytest.mark.parametrize(("frames", "width"), [(b"\x80\xc0\x00", 1), (b"\0\0\0\x40\0\x80", 2),
                                               (b"\0\0\0\1\0\x40\0\0\x80", 3),
                                               (b"\0\0\0\0\0\0\0\x40\0\0\0\x80", 4)])  # fmt: skip
def test_every_width_becomes_sixteen_bits(frames: bytes, width: int) -> None:
    assert read_wav(wav(frames, width)) == (b"\0\0\0\x40\0\x80", 8_000)


def test_channels_are_averaged() -> None:
    assert read_wav(wav(b"\x10\0\x20\0", 2, channels=2)) == (b"\x18\0", 8_000)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" + bytes(60), wav(bytes(8), 2).getvalue()[:20]])
def test_what_is_no_wav_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a PCM WAV file"):
        read_wav(io.BytesIO(content))
