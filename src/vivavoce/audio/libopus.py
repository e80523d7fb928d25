"""libopus itself, called in place: the copy that PyAV's wheels carry on every platform, else the system's.

PyAV's own codecs take a trip through FFmpeg for each frame and cannot conceal a lost packet; libopus can.
Its calls take 20 to 100 µs, so they keep the interpreter's lock (``PyDLL``) rather than passing it round.
"""

import ctypes
import ctypes.util
from functools import cache
from pathlib import Path

import av

__all__ = ["OpusError", "library", "setting"]

_PARTS = {
    "opus_encoder_get_size": [ctypes.c_int],
    "opus_encoder_init": [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int, ctypes.c_int],
    "opus_encode": [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32],
    "opus_decoder_get_size": [ctypes.c_int],
    "opus_decoder_init": [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int],
    "opus_decode": [
        ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int, ctypes.c_int
    ],
    "opus_packet_get_nb_samples": [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32],
}  # fmt: skip
"""Functions that give an int, negative for an error, and what they take. A state or PCM is a block of bytes."""


class OpusError(Exception):
    """libopus is not there, or refused what it was given."""


@cache
def library() -> ctypes.PyDLL:
    """Raises :class:`OpusError` where there is none."""
    for path in _places():
        try:
            found = ctypes.PyDLL(path)
            for name, takes in _PARTS.items():
                getattr(found, name).argtypes = takes
            found.opus_encoder_ctl.argtypes = [ctypes.c_char_p, ctypes.c_int]  # and, variadic, what comes after
        except (OSError, AttributeError):
            continue
        return found
    raise OpusError("libopus was not found. Install PyAV from its wheel (pip install av), or the system's libopus.")


def setting(state: ctypes.Array[ctypes.c_char], request: int, value: int) -> None:
    """Changes a setting of an encoder (``OPUS_SET_…`` in opus_defines.h)."""
    if library().opus_encoder_ctl(state, request, ctypes.c_int(value)) < 0:
        raise OpusError(f"libopus refused the setting {request} = {value}.")


def _places() -> list[str]:
    """auditwheel and delvewheel put libraries beside the package, delocate into it."""
    package = Path(av.__file__).parent
    carried = [*package.parent.glob("av.libs/libopus*"), *package.glob(".dylibs/libopus*")]
    of_system = ctypes.util.find_library("opus")
    return [*map(str, carried), *([of_system] if of_system else [])]
