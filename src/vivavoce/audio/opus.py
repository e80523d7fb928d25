"""Opus, as WebRTC wants it: packets of 20 ms of mono speech out, packets of any kind in, with holes concealed."""

import ctypes

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.libopus import OpusError, library, setting

__all__ = ["FRAME_BYTES", "FRAME_MS", "LONGEST", "UNIT", "OpusDecoder", "OpusEncoder", "OpusError"]

FRAME_MS = 20
FRAME_BYTES = HOUSE_RATE * FRAME_MS // 1000 * 2

BIT_RATE = 48_000
"""Bits a second: wideband mono speech without audible loss."""
COMPLEXITY = 5
"""Of 0 to 10: the first at which CELT looks for the pitch of a voice. 9 costs half as much again."""
SILK_COMPLEXITY = 1
"""SILK costs four times as much as CELT at 5, for a difference of 1 dB, and twice as much at 1."""
LONGEST = HOUSE_RATE * 120 // 1000
"""Samples of the longest packet there can be (RFC 6716, 3.2.5)."""
MAX_PACKET = 1275
"""Bytes of a packet of one frame (RFC 6716, 3.2.1)."""
UNIT = HOUSE_RATE // 400
"""Samples, 2.5 ms: what is concealed is a multiple of it."""

_AUDIO, _VOICE, _MUSIC = 2049, 3001, 3002
_BIT_RATE, _COMPLEXITY, _FEC, _LOSS, _SIGNAL = 4002, 4010, 4012, 4014, 4024  # OPUS_SET_…


class OpusEncoder:
    """One stream of mono PCM at the house rate; libopus takes 24 kHz as it is, without resampling.

    It is kept to CELT, by calling all sound music: speech at this rate sounds the same, for a third of the time.
    Only SILK can repeat what was lost, and for that it is called voice while loss is expected.
    """

    def __init__(self) -> None:
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_encoder_get_size(1))
        self._packet = ctypes.create_string_buffer(MAX_PACKET)
        _check(self._opus.opus_encoder_init(self._state, HOUSE_RATE, 1, _AUDIO))
        setting(self._state, _SIGNAL, _MUSIC)
        setting(self._state, _BIT_RATE, BIT_RATE)
        setting(self._state, _COMPLEXITY, COMPLEXITY)

    def expect_loss(self, percent: int) -> None:
        """From now on a packet also carries its predecessor, coarsely, as far as that pays at this rate of loss;
        with 0 no longer."""
        setting(self._state, _SIGNAL, _VOICE if percent else _MUSIC)
        setting(self._state, _COMPLEXITY, SILK_COMPLEXITY if percent else COMPLEXITY)
        setting(self._state, _FEC, int(percent > 0))
        setting(self._state, _LOSS, percent)

    def encode(self, pcm: bytes) -> bytes:
        """One packet for exactly :data:`FRAME_BYTES` of PCM."""
        if len(pcm) != FRAME_BYTES:  # libopus would read on behind it
            raise ValueError(f"A frame has {FRAME_BYTES} bytes, not {len(pcm)}.")
        size = _check(self._opus.opus_encode(self._state, pcm, FRAME_BYTES // 2, self._packet, MAX_PACKET))
        return ctypes.string_at(self._packet, size)


class OpusDecoder:
    """One stream, whatever its sender's rate and channels, as mono PCM at the house rate."""

    def __init__(self) -> None:
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        self._pcm = ctypes.create_string_buffer(2 * LONGEST)
        _check(self._opus.opus_decoder_init(self._state, HOUSE_RATE, 1))

    def decode(self, packet: bytes) -> bytes:
        """Raises :class:`OpusError` for what is no packet."""
        if not packet:  # to libopus that means a lost one
            raise OpusError("An empty packet holds no sound.")
        return self._give(self._opus.opus_decode(self._state, packet, len(packet), self._pcm, LONGEST, 0))

    def conceal(self, samples: int, successor: bytes | None = None) -> bytes:
        """What might have been in a packet that is lost: from the coarse copy that its ``successor`` carries, if
        it does, else from the sound so far, which dies away. ``samples``: :data:`UNIT`'s multiple, 120 ms at most."""
        if not 0 < samples <= LONGEST or samples % UNIT:
            raise ValueError(f"{samples} samples cannot be concealed.")
        packet, size = (successor, len(successor)) if successor else (None, 0)
        return self._give(self._opus.opus_decode(self._state, packet, size, self._pcm, samples, int(size > 0)))

    def _give(self, samples: int) -> bytes:
        return ctypes.string_at(self._pcm, 2 * _check(samples))


def _check(result: int) -> int:
    if result < 0:
        raise OpusError(f"libopus refused it (error {result}).")
    return result
