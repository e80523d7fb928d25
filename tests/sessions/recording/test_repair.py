"""Files that broke off, and files of a browser."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from vivavoce.audio.wav import write_wav
from vivavoce.sessions.recording.file import OpusFile
from vivavoce.sessions.recording.recorded import Unreadable
from vivavoce.sessions.recording.repair import remux


def length(path: Path) -> float:
    """Seconds."""
    with av.open(str(path), "r") as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def recorded(path: Path, seconds: int) -> Path:
    file = OpusFile(path.open("wb"))
    noise = np.random.default_rng(1).integers(-3000, 3000, 48_000, np.int16).tobytes()
    for _ in range(seconds):
        file.write(noise)
    file.close()
    return path


def wave(path: Path) -> Path:
    write_wav(path, bytes(48_000), 24_000)
    return path


def from_a_browser(path: Path, seconds: int) -> Path:
    with av.open(str(path), "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000)
        assert isinstance(stream, AudioStream)
        stream.layout = "stereo"
        for at in range(0, seconds * 48_000, 960):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_file_that_broke_off_ends_with_its_last_whole_packet(tmp_path: Path) -> None:
    file = recorded(tmp_path / "one.ogg", 10)
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])

    ms = remux(file, file)

    assert 5_000 < ms < 8_000
    assert length(file) == pytest.approx(ms / 1000, abs=0.1)
    assert [each.name for each in tmp_path.iterdir()] == ["one.ogg"]


def test_what_a_browser_made_becomes_what_we_make(tmp_path: Path) -> None:
    made = tmp_path / "made.ogg"

    assert remux(from_a_browser(tmp_path / "sent.webm", 3), made) == pytest.approx(3000, abs=30)
    with av.open(str(made), "r") as container:
        assert (container.format.name, container.streams.audio[0].codec_context.channels) == ("ogg", 2)


@pytest.mark.parametrize("content", [b"", b"no sound at all " * 100, b"OggS" + bytes(300)])
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sent.webm"
    file.write_bytes(content)

    with pytest.raises(Unreadable):
        remux(file, tmp_path / "made.ogg")
    assert [each.name for each in tmp_path.iterdir()] == ["sent.webm"]


def test_another_codec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        remux(wave(tmp_path / "sent.webm"), tmp_path / "made.ogg")
