"""Durations and loudness."""

import numpy as np
import pytest

from vivavoce.audio.pcm import SILENT_DBFS, duration_ms, level_dbfs, samples_in


def test_milliseconds_and_samples() -> None:
    assert duration_ms(bytes(960), 24_000) == 20
    assert duration_ms(bytes(961), 24_000) == 20
    assert samples_in(20, 24_000) == 480
    assert samples_in(20, 22_050) == 441


def test_level() -> None:
    assert level_dbfs(b"") == SILENT_DBFS
    assert level_dbfs(bytes(100)) == SILENT_DBFS
    assert level_dbfs(np.full(100, -32768, "<i2").tobytes()) == 0
    assert level_dbfs(np.full(100, 3277, "<i2").tobytes()) == pytest.approx(-20, abs=0.01)
