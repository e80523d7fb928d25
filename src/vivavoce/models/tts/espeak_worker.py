"""The process that loads eSpeak NG (GPL-3.0), by ctypes, and lets it speak through its synthesis callback.

A request is an :class:`Utterance` as JSON, the reply mono int16 PCM at :data:`RATE` in chunks of 60 ms.
"""

import ctypes
import os
from pathlib import Path

import msgspec

from vivavoce.models.interfaces import ModelError
from vivavoce.models.worker.process import Emit, Handler, serve

__all__ = ["RATE", "Utterance"]

RATE = 22_050
CHUNK_MS = 60
PITCH_RANGE = 55
"""A little livelier than eSpeak's own 50."""

# From espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POS_CHARACTER = 1
_CHARS_UTF8, _ENDPAUSE = 1, 0x1000
_RATE, _VOLUME, _PITCH, _RANGE, _WORDGAP = 1, 2, 3, 4, 7
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Utterance(msgspec.Struct, frozen=True):
    text: str
    voices: list[str]
    """The first of them that there is."""
    pitch: int
    volume: int
    words_per_minute: int
    gap: int


def prepare() -> Handler:
    espeak = _load()

    def speak(request: bytes, emit: Emit) -> None:
        utterance = msgspec.json.decode(request, type=Utterance)
        _set_up(espeak, utterance)

        def on_samples(samples: int | None, count: int, _events: int | None) -> int:
            if not samples or count <= 0:
                return 0
            return 0 if emit(ctypes.string_at(samples, 2 * count)) else 1

        callback = _Callback(on_samples)
        espeak.espeak_SetSynthCallback(callback)
        text = utterance.text.encode().replace(b"\0", b" ")
        # A pause after a clause, but none in the middle of a sentence that was cut into pieces.
        pause = _ENDPAUSE if utterance.text.rstrip("\"')”’ \n").endswith(tuple(".!?…,;:")) else 0
        flags = _CHARS_UTF8 | pause
        if espeak.espeak_Synth(text, len(text) + 1, 0, _POS_CHARACTER, 0, flags, None, None) != 0:
            raise ModelError("eSpeak NG could not speak this text.")

    return speak


def _load() -> ctypes.CDLL:
    import espeakng_loader

    # eSpeak cuts paths at 160 characters, and a virtual environment's may be longer: give it a short one.
    os.chdir(Path(espeakng_loader.get_data_path()).parent)
    espeak = ctypes.CDLL(espeakng_loader.get_library_path())
    espeak.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    rate = espeak.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, CHUNK_MS, b".", _INITIALIZE_DONT_EXIT)
    if rate != RATE:
        raise ModelError(
            "eSpeak NG did not start: its data is missing or of another version. "
            "Install it again with: pip install --force-reinstall espeakng-loader"
        )
    return espeak


def _set_up(espeak: ctypes.CDLL, utterance: Utterance) -> None:
    if not any(espeak.espeak_SetVoiceByName(voice.encode()) == 0 for voice in utterance.voices):
        raise ModelError(f"eSpeak NG has no voice {utterance.voices[-1]!r}.")
    settings = {
        _RATE: utterance.words_per_minute,
        _VOLUME: utterance.volume,
        _PITCH: utterance.pitch,
        _RANGE: PITCH_RANGE,
        _WORDGAP: utterance.gap,
    }
    for parameter, value in settings.items():
        espeak.espeak_SetParameter(parameter, value, 0)


if __name__ == "__main__":
    serve(prepare)
