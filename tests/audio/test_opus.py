from fractions import Fraction

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from vivavoce.audio import HOUSE_RATE, libopus
from vivavoce.audio.libopus import library
from vivavoce.audio.opus import FRAME_BYTES, LONGEST, UNIT, OpusDecoder, OpusEncoder, OpusError


def test_what_is_encoded_can_be_heard():
    tone = (8000 * np.sin(2 * np.pi * 440 / HOUSE_RATE * np.arange(HOUSE_RATE))).astype("<i2").tobytes()
    encoder, decoder = OpusEncoder(), av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout, decoder.format = 48_000, "mono", "s16"
    heard: list[float] = []
    for at in range(0, len(tone), FRAME_BYTES):
        packet = encoder.encode(tone[at : at + FRAME_BYTES])
        assert len(packet) < 300
        for frame in decoder.decode(av.Packet(packet)):
            assert frame.samples == 960  # one packet is 20 ms
            heard.extend(frame.to_ndarray()[0].tolist())
    spectrum = np.abs(np.fft.rfft(heard[4800:]))
    assert np.argmax(spectrum) * 48_000 / len(heard[4800:]) == pytest.approx(440, abs=3)
    assert np.std(heard[4800:]) == pytest.approx(8000 / np.sqrt(2), rel=0.05)


def test_a_frame_is_20_ms_and_nothing_else():
    with pytest.raises(ValueError, match="960"):
        OpusEncoder().encode(bytes(FRAME_BYTES - 2))


@pytest.mark.parametrize("packet", [b"", b"\xff\xff\xff", b"\x03"])
def test_what_is_no_packet_is_refused(packet: bytes):
    with pytest.raises(OpusError):
        OpusDecoder().decode(packet)


@pytest.mark.parametrize("samples", [0, 61, LONGEST + UNIT])
def test_only_what_libopus_can_conceal_is_asked_of_it(samples: int):
    with pytest.raises(ValueError, match="concealed"):
        OpusDecoder().conceal(samples)


@pytest.mark.parametrize("milliseconds", [10, 20, 40, 60])
def test_packets_of_other_lengths_and_channels_are_taken(milliseconds: int):
    other = av.CodecContext.create("libopus", "w")
    assert isinstance(other, AudioCodecContext)
    other.sample_rate, other.layout, other.format = 48_000, "stereo", "s16"
    other.time_base, other.options = Fraction(1, 48_000), {"frame_duration": str(milliseconds)}
    frame = av.AudioFrame("s16", "stereo", 48 * milliseconds)
    frame.sample_rate = 48_000
    (packet,) = other.encode(frame)
    assert len(OpusDecoder().decode(bytes(packet))) == 48 * milliseconds


def test_every_wheel_of_pyav_carries_libopus_and_without_it_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
):
    assert "av" in library()._name  # PyAV's own, not some other that the machine has
    monkeypatch.setattr(libopus, "_places", list)
    library.cache_clear()
    try:
        with pytest.raises(OpusError, match="pip install av"):
            OpusDecoder()
    finally:
        library.cache_clear()
