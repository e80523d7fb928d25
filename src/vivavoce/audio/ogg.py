"""Whole pieces of sound as Ogg Opus: a tenth of PCM's size or less, for keeping. Live Opus is in ``opus.py``.

Both functions take some two milliseconds for a second of sound, so they belong in a thread. FFmpeg, 16 MB of memory, is
loaded by the first that is called: most sessions are too short to need either.
"""

from fractions import Fraction
from io import BytesIO

import numpy as np

from vivavoce.audio.resample import convert

__all__ = ["BIT_RATE", "decode", "encode"]

BIT_RATE = 32_000
"""Bits a second, 14.4 MB an hour: speech at full quality, for mono at 24 kHz."""
HOW = {"application": "audio", "compression_level": "0", "frame_duration": "60"}
"""An eighth of the work of the settings for live speech, and at this bit rate nearer to what went in: nobody waits for
these packets, so they may be long."""
OPUS_RATE = 48_000
"""What every Opus decoder gives (RFC 6716)."""


def encode(pcm: bytes, rate: int) -> bytes:
    """Mono 16-bit PCM as a complete Ogg Opus file. ``rate`` is one that Opus knows: 8, 12, 16, 24 or 48 kHz."""
    import av
    from av.audio.stream import AudioStream

    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    file = BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate, options=HOW)
        assert isinstance(stream, AudioStream)
        stream.layout, stream.format, stream.bit_rate = "mono", "s16", BIT_RATE
        for given in (frame, None):
            container.mux(stream.encode(given))
    return file.getvalue()


def decode(file: bytes, rate: int, samples: int) -> bytes:
    """The sound of an Ogg Opus file as mono 16-bit PCM: exactly the ``samples`` that went into it."""
    import av

    with av.open(BytesIO(file), "r") as container:
        heard = np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])
    pcm = np.clip(np.rint(heard * 32768), -32768, 32767).astype("<i2").tobytes()
    return convert(pcm, OPUS_RATE, rate)[: 2 * samples].ljust(2 * samples, b"\0")
