"""G.711 against values of the ITU's tables, and round trips over every sample."""

from collections.abc import Callable

import numpy as np
import pytest

from vivavoce.audio import g711

Codec = Callable[[bytes], bytes]


def decode(law: str, *codes: int) -> list[int]:
    decoder = g711.ulaw_decode if law == "ulaw" else g711.alaw_decode
    return [int(level) for level in np.frombuffer(decoder(bytes(codes)), "<i2")]


def test_reference_values_of_mu_law() -> None:
    assert decode("ulaw", 0x00, 0x80, 0xFF, 0x7F, 0x0F, 0x8F, 0xF0) == [-32124, 32124, 0, 0, -16764, 16764, 120]
    samples = np.array([0, -1, 32767, -32768, 1000, -1000], "<i2").tobytes()
    assert g711.ulaw_encode(samples) == bytes([0xFF, 0x7F, 0x80, 0x00, 0xCE, 0x4E])


def test_reference_values_of_a_law() -> None:
    assert decode("alaw", 0xD5, 0x55, 0xAA, 0x2A, 0x80) == [8, -8, 32256, -32256, 5504]
    samples = np.array([0, -1, 32767, -32768, 1000, -1000], "<i2").tobytes()
    assert g711.alaw_encode(samples) == bytes([0xD5, 0x55, 0xAA, 0x2A, 0xFA, 0x7A])


@pytest.mark.parametrize(("encode", "decode"), [(g711.ulaw_encode, g711.ulaw_decode),
                                                (g711.alaw_encode, g711.alaw_decode)])  # fmt: skip
def test_round_trips(encode: Codec, decode: Codec) -> None:
    codes = bytes(range(256))
    again = decode(encode(decode(codes)))
    assert again == decode(codes)
    samples = np.arange(-32768, 32768, dtype="<i2")
    back = np.frombuffer(decode(encode(samples.tobytes())), "<i2").astype(int)
    size = np.abs(samples.astype(int))
    # Half a step is 1/32 of the biased sample; the ends are clipped.
    allowed = np.maximum((size + 132) / 31, 8) + np.where(size > 32_000, 700, 0)
    assert np.all(np.abs(back - samples) <= allowed)
    assert np.all(np.diff(back) >= 0)
