"""The process that loads Piper (GPL-3.0, with eSpeak NG): a clause at a time.

Its argument is the model's file. A request is an :class:`Utterance` as JSON, the reply mono int16 PCM at the model's
rate in chunks of 100 to 200 ms, those of a clause as soon as that is made.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from vivavoce.models.interfaces import ModelError
from vivavoce.models.tts.pieces import chunks, clauses, pause_ms
from vivavoce.models.worker.process import Emit, Handler, serve

__all__ = ["Utterance"]


class Utterance(msgspec.Struct, frozen=True):
    text: str
    speaker: int
    speed: float


def prepare() -> Handler:
    voice = _load(sys.argv[1])
    list(_sound(voice, Utterance("", 0, 1.0), "Hello."))  # the first takes several times as long

    def speak(request: bytes, emit: Emit) -> None:
        utterance = msgspec.json.decode(request, type=Utterance)
        for clause in clauses(utterance.text):
            for chunk in _sound(voice, utterance, clause):
                if not emit(chunk):
                    return

    return speak


def _load(model: str) -> Any:
    import piper

    # eSpeak cuts paths at 160 characters, and a virtual environment's may be longer: give it a short one.
    os.chdir(Path(piper.__file__).parent)
    try:
        return piper.PiperVoice.load(model, espeak_data_dir="espeak-ng-data")
    except Exception as error:
        check = f"vivavoce models pull piper:{Path(model).stem}"
        why = f"{type(error).__name__}: {error}"
        raise ModelError(f"its files cannot be loaded ({why}). Check them: {check}") from error


def _sound(voice: Any, utterance: Utterance, clause: str) -> Iterator[bytes]:
    from piper import SynthesisConfig

    # Its models have a pace of their own.
    how = SynthesisConfig(speaker_id=utterance.speaker, length_scale=voice.config.length_scale / utterance.speed)
    rate = voice.config.sample_rate
    text = clause.replace("[", "(").replace("]", ")")  # what stands in [[ ]] would be phonemes to it
    made = b"".join(part.audio_int16_bytes for part in voice.synthesize(text, how))
    yield from chunks(made + bytes(2 * (rate * pause_ms(clause) // 1000)), rate)


if __name__ == "__main__":
    serve(prepare)
