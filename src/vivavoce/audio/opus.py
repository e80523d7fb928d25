"""Opus, as WebRTC wants it: packets of 20 ms."""

from fractions import Fraction

from av import AudioFrame, CodecContext
from av.audio.codeccontext import AudioCodecContext

from vivavoce.audio import HOUSE_RATE

__all__ = ["FRAME_BYTES", "FRAME_MS", "OpusEncoder"]

FRAME_MS = 20
FRAME_BYTES = HOUSE_RATE * FRAME_MS // 1000 * 2

BIT_RATE = 48_000
"""Bits a second: wideband mono speech without audible loss."""
COMPLEXITY = 5
"""Of 0 to 10. Speech sounds the same as at FFmpeg's 10 and costs about two thirds."""


class OpusEncoder:
    """One stream of mono PCM at the house rate; libopus takes 24 kHz as it is, without resampling."""

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.sample_rate = HOUSE_RATE
        codec.layout = "mono"
        codec.format = "s16"
        codec.bit_rate = BIT_RATE
        codec.time_base = Fraction(1, HOUSE_RATE)
        codec.options = {"application": "voip", "compression_level": str(COMPLEXITY), "frame_duration": str(FRAME_MS)}
        self._codec = codec

    def encode(self, pcm: bytes) -> bytes:
        """One packet for exactly :data:`FRAME_BYTES` of PCM."""
        frame = AudioFrame("s16", "mono", FRAME_BYTES // 2)
        frame.sample_rate = HOUSE_RATE
        frame.planes[0].update(pcm)
        (packet,) = self._codec.encode(frame)
        return bytes(packet)
