"""Silero v6 (MIT): how likely 32 ms of sound hold speech, in 100 µs; 30 for each where eight listeners are asked at
once, and 1 where it is quiet.

The weights are those inside the installed faster-whisper distribution; that package itself is never imported, as it
would bring CTranslate2 and a second of start-up with it. They are there once for the process; a listener is only its
few kB of state.
"""

import importlib.util
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vivavoce.audio.decimator import Decimator
from vivavoce.models.interfaces import ModelError, VadStream
from vivavoce.models.tensors import tensors
from vivavoce.models.vad.network import HEARD, STATE, Network

__all__ = ["SETTLED", "TOGETHER", "SileroVad"]

WINDOW = 768
"""32 ms at the house's rate; the model hears it at 16 kHz, with the end of the window before."""
MADE = WINDOW * 2 // 3
TOGETHER = 16
"""Listeners that are asked at once: with more, each costs as much as before."""
QUIET = 16
"""No sample of a quiet window is louder, -66 dBFS: a microphone that is off, or a track that says nothing."""
NOTHING = bytes(2 * WINDOW)
SETTLED = 8
"""Quiet windows after which the model has nothing left to say, and is not asked until one is louder."""


class SileroVad:
    window = WINDOW

    def __init__(self) -> None:
        self._network = _shared_network()

    def stream(self) -> VadStream:
        return _Listener(self._network)

    def probabilities(self, heard: Sequence[tuple[VadStream, bytes]]) -> list[float]:
        found = [0.0] * len(heard)
        asked = [
            (index, listener)
            for index, (listener, window) in enumerate(heard)
            if isinstance(listener, _Listener) and listener.take(window)
        ]
        for at in range(0, len(asked), TOGETHER):
            some = asked[at : at + TOGETHER]
            for (index, _), probability in zip(some, _ask(self._network, [each for _, each in some]), strict=True):
                found[index] = probability
        return found


class _Listener:
    def __init__(self, network: Network) -> None:
        self._network = network
        self.heard = np.zeros(HEARD, np.float32)
        self.hidden, self.cell = np.zeros((2, 1, STATE), np.float32)
        self._decimator = Decimator(WINDOW)
        self._quiet = 0

    def __call__(self, window: bytes) -> float:
        return _ask(self._network, [self])[0] if self.take(window) else 0.0

    def take(self, window: bytes) -> bool:
        """Whether the model has anything to say of it."""
        pcm = np.frombuffer(window, "<i2")
        self._quiet = self._quiet + 1 if window == NOTHING or _is_quiet(pcm) else 0
        if self._quiet > SETTLED:
            return False
        self.heard[:-MADE] = self.heard[MADE:]
        self._decimator.push(pcm, self.heard[-MADE:])
        return True


def _ask(network: Network, listeners: Sequence[_Listener]) -> list[float]:
    """Of the windows that they have taken."""
    if len(listeners) == 1:
        (one,) = listeners
        probability, one.hidden, one.cell = network(one.heard[None], one.hidden, one.cell)
        return [float(probability[0])]
    hidden = np.concatenate([each.hidden for each in listeners])
    cell = np.concatenate([each.cell for each in listeners])
    probabilities, hidden, cell = network(np.stack([each.heard for each in listeners]), hidden, cell)
    for index, each in enumerate(listeners):
        each.hidden, each.cell = hidden[index : index + 1], cell[index : index + 1]
    return [float(each) for each in probabilities]


def _is_quiet(pcm: npt.NDArray[np.int16]) -> bool:
    return bool(pcm.max() <= QUIET and pcm.min() >= -QUIET)


_loading = threading.Lock()


def _shared_network() -> Network:
    with _loading:  # a warm-up in a thread and the first session may meet here
        return _load()


@cache
def _load() -> Network:
    file = _model_file()
    try:
        return Network(tensors(file))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is not the voice activity model that is wanted: {error}. {_INSTALL}") from None


_INSTALL = "Install it again with: pip install --force-reinstall 'faster-whisper>=1.2,<2'"


def _model_file() -> Path:
    package = importlib.util.find_spec("faster_whisper")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for file in sorted(Path(folder, "assets").glob("silero_vad*.onnx")):
            return file
    raise ModelError(f"The voice activity model is missing; it comes with the package faster-whisper. {_INSTALL}")
