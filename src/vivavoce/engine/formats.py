"""Between a session's audio formats (S-10) and the PCM that everything inside works with: 24 kHz, 16-bit
little-endian, mono."""

from vivavoce.audio import g711
from vivavoce.audio.resample import Resampler
from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.wire.config import Format, Pcm, Pcma
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Decoder", "Encoder"]

G711_RATE = 8000


class Decoder:
    """A stream of a client's audio, as PCM."""

    def __init__(self, format: Format) -> None:
        self.format = format
        self._resampler = None if isinstance(format, Pcm) else Resampler(G711_RATE, RATE)

    def push(self, data: bytes) -> bytes:
        """Raises :class:`ProtocolError` for half a sample."""
        if self._resampler is None:
            if len(data) % 2:
                message = f"'audio' holds {len(data)} bytes; 16-bit samples come in pairs of bytes."
                raise ProtocolError("invalid_value", message, param="audio")
            return data
        decode = g711.alaw_decode if isinstance(self.format, Pcma) else g711.ulaw_decode
        return self._resampler.push(decode(data))


class Encoder:
    """A stream of PCM, as the audio of a response."""

    def __init__(self, format: Format) -> None:
        self.format = format
        self._resampler = None if isinstance(format, Pcm) else Resampler(RATE, G711_RATE)

    def push(self, pcm: bytes) -> bytes:
        if self._resampler is None:
            return pcm
        encode = g711.alaw_encode if isinstance(self.format, Pcma) else g711.ulaw_encode
        return encode(self._resampler.push(pcm))
