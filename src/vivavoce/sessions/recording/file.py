"""An Ogg Opus file that grows: two channels at the house rate, a page every second. What a crash leaves behind can be
played up to its last page (RFC 3533: each page stands for itself)."""

from fractions import Fraction
from typing import BinaryIO

import av
import numpy as np
from av.audio.stream import AudioStream

from vivavoce.audio import HOUSE_RATE

__all__ = ["BIT_RATE", "OpusFile"]

BIT_RATE = 48_000
"""Bits a second for both sides, 21.6 MB an hour at most; silence takes a fraction."""
PAGE = 1_000_000
"""Microseconds."""
HOW = {"application": "audio", "compression_level": "3", "frame_duration": "20"}


class OpusFile:
    """Blocking: belongs in a thread. Raises ``OSError`` where the disk is full."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._container = av.open(file, "w", format="ogg", options={"page_duration": str(PAGE), "flush_packets": "1"})
        stream = self._container.add_stream("libopus", rate=HOUSE_RATE, options=HOW)
        assert isinstance(stream, AudioStream)
        stream.layout, stream.format, stream.bit_rate = "stereo", "s16", BIT_RATE
        self._stream, self._samples = stream, 0

    @property
    def ms(self) -> int:
        """Written so far."""
        return self._samples * 1000 // HOUSE_RATE

    def write(self, pcm: bytes) -> None:
        """16-bit PCM, left and right in turn, or nothing. All but a page that is not full yet is on the disk then."""
        if not pcm:
            return
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = HOUSE_RATE, self._samples, Fraction(1, HOUSE_RATE)
        self._samples += frame.samples
        self._container.mux(self._stream.encode(frame))
        self._file.flush()

    def close(self) -> int:
        """The last page is written, and the file closed, in any case; how many bytes it has."""
        try:
            if self._samples:
                self._container.mux(self._stream.encode(None))
            self._container.close()
            return self._file.tell()
        except av.FFmpegError as error:  # what it makes of a write that failed before
            raise OSError(error.errno, "an earlier part could not be written") from None
        finally:
            self._file.close()
