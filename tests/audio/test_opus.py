import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import FRAME_BYTES, OpusEncoder


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
