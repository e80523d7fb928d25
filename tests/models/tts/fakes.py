"""Packages that stand in for kokoro-onnx and piper-tts in the worker processes: the calls that the adapters make of
them, and sounds that tell what was asked. The weights of neither can be part of this repository."""

from pathlib import Path

KOKORO = """
import zlib
import numpy as np

class Kokoro:
    def __init__(self, model, voices, espeak):
        if open(model).read() != "weights":
            raise ValueError("bad protobuf")

    def create(self, text, voice, speed, lang):
        assert 0.5 <= speed <= 2
        if "unspeakable" in text:
            raise ValueError("no phonemes")
        level = zlib.crc32(f"{voice} {lang}".encode()) % 1000 / 1000
        return np.full(int(24 * 60 * len(text) / speed), level, np.float32), 24000
"""

KOKORO_CONFIG = """
class EspeakConfig:
    def __init__(self, lib_path=None, data_path=None):
        pass
"""

PIPER = """
from types import SimpleNamespace
import json

class SynthesisConfig(SimpleNamespace):
    pass

class PiperVoice:
    @staticmethod
    def load(model, espeak_data_dir):
        if open(model).read() != "weights":
            raise ValueError("bad protobuf")
        voice = PiperVoice()
        given = json.load(open(model + ".json"))
        voice.config = SimpleNamespace(length_scale=1.0, sample_rate=given["audio"]["sample_rate"])
        return voice

    def synthesize(self, text, how):
        assert "[[" not in text
        sample = (1 + how.speaker_id).to_bytes(2, "little")
        yield SimpleNamespace(audio_int16_bytes=sample * int(16 * 60 * len(text) * how.length_scale))
"""


def install(folder: Path) -> None:
    """Into a folder that goes onto PYTHONPATH."""
    (folder / "kokoro_onnx").mkdir()
    (folder / "kokoro_onnx/__init__.py").write_text(KOKORO)
    (folder / "kokoro_onnx/config.py").write_text(KOKORO_CONFIG)
    (folder / "piper.py").write_text(PIPER)
