"""Log-mel features: shapes, and what a tone, silence and loudness come to."""

import numpy as np
import pytest

from vivavoce.models.turn.features import BANDS, RATE, log_mel

SECOND = np.arange(RATE) / RATE


def tone(hertz: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * SECOND)).astype(np.float32)


def test_a_second_has_a_hundred_frames():
    assert log_mel(tone(440)).shape == (BANDS, 100)
    assert log_mel(tone(440)).dtype == np.float32


@pytest.mark.parametrize(("hertz", "band"), [(250, 6), (1000, 26), (2000, 44), (4000, 62)])
def test_a_tone_is_in_its_band(hertz, band):
    """Slaney's bands: 80 between 0 and 8 kHz, 45.2 mel wide together, linear up to 1 kHz."""
    assert abs(int(log_mel(tone(hertz)).mean(axis=1).argmax()) - band) <= 1


def test_how_loud_it_is_does_not_matter():
    assert np.allclose(log_mel(tone(440, 0.3)), log_mel(tone(440, 0.03)), atol=2e-3)


def test_the_softest_is_80_db_below_the_loudest():
    features = log_mel(tone(440))
    assert features.max() - features.min() == pytest.approx(2.0)


def test_silence_is_no_trouble():
    assert np.isfinite(log_mel(np.zeros(RATE, np.float32))).all()


def test_known_values():
    """Held against the extractor that the model was trained with (Whisper's, as transformers has it): to 3e-7."""
    noise = np.random.default_rng(1).standard_normal(8 * RATE).astype(np.float32) * 0.1
    features = log_mel(noise)
    assert features.shape == (BANDS, 800)
    assert [round(float(features[band, 400]), 4) for band in (0, 20, 40, 60, 79)] == KNOWN


KNOWN = [1.1222, 1.0356, 1.1549, 1.0786, 1.1802]
