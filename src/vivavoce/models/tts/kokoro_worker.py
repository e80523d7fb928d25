"""The process that loads Kokoro, and with it phonemizer and eSpeak NG (GPL-3.0): a clause at a time.

Its arguments are the model's file and the voices'. A request is an :class:`Utterance` as JSON, the reply mono int16
PCM at :data:`RATE` in chunks of 100 to 200 ms, those of a clause as soon as that is made.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.pieces import chunks, clauses, pause_ms
from vivavoce.models.worker.process import Emit, Handler, serve

__all__ = ["RATE", "Utterance"]

RATE = 24_000
_PAUSES, _SWITCH = str.maketrans("()", ",,"), re.compile(r"\([^()]*\)")


class Utterance(msgspec.Struct, frozen=True):
    text: str
    voice: str
    speed: float
    """0.5 to 1.5."""
    language: str
    """In eSpeak's terms."""


def prepare() -> Handler:
    kokoro = _load(*sys.argv[1:3])
    _sound(kokoro, Utterance("Hello.", "af_heart", 1.0, "en-us"), "Hello.")  # the first takes several times as long

    def speak(request: bytes, emit: Emit) -> None:
        utterance = msgspec.json.decode(request, type=Utterance)
        for clause in clauses(utterance.text):
            for chunk in chunks(_sound(kokoro, utterance, clause), RATE):
                if not emit(chunk):
                    return

    return speak


def _load(model: str, voices: str) -> Any:
    import espeakng_loader
    from kokoro_onnx import Kokoro
    from kokoro_onnx.config import EspeakConfig

    # eSpeak cuts paths at 160 characters, and a virtual environment's may be longer: give it a short one.
    os.chdir(Path(espeakng_loader.get_data_path()).parent)
    try:
        return Kokoro(model, voices, EspeakConfig(data_path="."))
    except Exception as error:
        raise ModelError(
            f"its files cannot be loaded ({type(error).__name__}: {error}). Check them: vivavoce models pull kokoro"
        ) from error


def _phonemes(kokoro: Any, clause: str, language: str) -> str:
    """eSpeak NG puts ``(en)`` and the like where it takes a word for one of another language, which Kokoro would speak.
    So its own are the only parentheses that come back, and these go."""
    phonemes: str = kokoro.tokenizer.phonemize(clause.translate(_PAUSES), language)
    return _SWITCH.sub("", phonemes).strip()


def _sound(kokoro: Any, utterance: Utterance, clause: str) -> bytes:
    import numpy as np

    try:
        phonemes = _phonemes(kokoro, clause, utterance.language)
        if not phonemes:
            return b""  # such as ①: no reason to break off an answer
        samples, _ = kokoro.create(phonemes, utterance.voice, utterance.speed, is_phonemes=True)
    except ValueError as error:  # such as a voice that another version of the file has not
        raise ModelError(f"it could not speak this text ({error}).") from error
    pcm = np.asarray(samples * 32767).clip(-32768, 32767).astype("<i2").tobytes()
    # It cuts off the silence after a clause.
    return bytes(pcm) + bytes(2 * (RATE * pause_ms(clause) // 1000))


if __name__ == "__main__":
    serve(prepare)
