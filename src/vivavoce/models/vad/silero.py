"""Silero v6 (MIT): how likely 32 ms of sound hold speech, in about 60 µs; in 1 where it is quiet.

The ONNX file is the one inside the installed faster-whisper distribution; that package itself is
never imported, as it would bring CTranslate2 and a second of start-up with it. One inference session
serves the process; a listener is only its 1 kB of state.
"""

import importlib.util
import threading
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from vivavoce.audio.decimator import Decimator
from vivavoce.models.interfaces import ModelError, VadStream

__all__ = ["SETTLED", "SileroVad"]

WINDOW = 768
"""32 ms at the house's rate."""
HEARD = 512
"""The same at the model's, 16 kHz."""
CONTEXT = 64
"""The model also wants the last samples of the window before."""
QUIET = 16
"""No sample of a quiet window is louder, -66 dBFS: a microphone that is off, or a track that says nothing."""
NOTHING = bytes(2 * WINDOW)
SETTLED = 8
"""Quiet windows after which the model has nothing left to say, and is not asked until one is louder."""


class SileroVad:
    window = WINDOW

    def __init__(self) -> None:
        self._session = _shared_session()

    def stream(self) -> VadStream:
        return _Listener(self._session)


class _Listener:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._input = np.zeros((1, CONTEXT + HEARD), np.float32)
        self._decimator = Decimator(WINDOW)
        self._quiet = 0

    def __call__(self, window: bytes) -> float:
        pcm = np.frombuffer(window, "<i2")
        self._quiet = self._quiet + 1 if window == NOTHING or _is_quiet(pcm) else 0
        if self._quiet > SETTLED:
            return 0.0
        samples = self._input[0]
        samples[:CONTEXT] = samples[-CONTEXT:]
        self._decimator.push(pcm, samples[CONTEXT:])
        feed = {"input": self._input, "h": self._hidden, "c": self._cell}
        probability, self._hidden, self._cell = self._session.run(None, feed)
        return float(probability[0])


def _is_quiet(pcm: npt.NDArray[np.int16]) -> bool:
    return bool(pcm.max() <= QUIET and pcm.min() >= -QUIET)


_loading = threading.Lock()


def _shared_session() -> onnxruntime.InferenceSession:
    with _loading:  # a warm-up in a thread and the first session may meet here
        return _load()


@cache
def _load() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # A window is too little work to share out: more threads only spin.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(_model_file()), options, providers=["CPUExecutionProvider"])


def _model_file() -> Path:
    package = importlib.util.find_spec("faster_whisper")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for file in sorted(Path(folder, "assets").glob("silero_vad*.onnx")):
            return file
    raise ModelError(
        "The voice activity model is missing: it comes with the Python package faster-whisper (1.2 or newer). "
        "Install it again with: pip install --force-reinstall faster-whisper"
    )
