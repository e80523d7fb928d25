"""Smart Turn v3 (BSD-2-Clause): whether the last eight seconds sound like a turn that is over, in about 30 ms.

The ONNX file is the one inside the installed pipecat-ai distribution, which the extra ``smart-turn`` brings. No code
of that package is imported, so ``pip install --no-deps pipecat-ai`` is enough where its dependencies are not wanted.

One inference session and a few threads serve the whole process. Who would have to wait too long is told so, and goes
by the words instead.
"""

import asyncio
import importlib.util
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from vivavoce.models.interfaces import ModelError
from vivavoce.models.turn.features import RATE, log_mel

__all__ = ["SmartTurn"]

SECONDS = 8
THREADS = max(1, min(2, (os.cpu_count() or 1) // 2))
"""A check keeps one thread busy for 30 ms; a speaker pauses every few seconds."""
MOST_WAITING = 8
"""Checks that may wait for a thread: the last of them for a quarter of a second."""
PATIENCE = 0.3
"""Seconds until an answer is of no use."""


class SmartTurn:
    rate = RATE
    seconds = SECONDS

    def __init__(self) -> None:
        self._file = _model_file()
        self._session: onnxruntime.InferenceSession | None = None
        self._loading = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, "smart turn")
        self._asked = 0

    async def warm(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._judge, b"")

    async def finished(self, pcm: bytes) -> float:
        if self._asked >= THREADS + MOST_WAITING:
            raise ModelError(f"The detector of turns is busy: {self._asked} checks wait already.")
        self._asked += 1
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._judge, pcm)
        except TimeoutError:
            raise ModelError(f"The detector of turns has not answered within {PATIENCE:g} s.") from None
        finally:
            self._asked -= 1

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _judge(self, pcm: bytes) -> float:
        """In a thread. What is missing of the eight seconds is silence before them."""
        samples = np.zeros(SECONDS * RATE, np.float32)
        heard = np.frombuffer(pcm, "<i2")[-len(samples) :]
        samples[len(samples) - len(heard) :] = heard
        samples /= 32768
        (probability,) = self._loaded().run(None, {"input_features": log_mel(samples)[None]})
        return float(probability[0, 0])

    def _loaded(self) -> onnxruntime.InferenceSession:
        with self._loading:
            if self._session is None:
                options = onnxruntime.SessionOptions()
                # One thread a check, so that a check of one session does not slow all others.
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                options.log_severity_level = 4
                self._session = onnxruntime.InferenceSession(
                    str(self._file), options, providers=["CPUExecutionProvider"]
                )
            return self._session


def _model_file() -> Path:
    """The newest of those that are there. Raises :class:`ModelError`."""
    package = importlib.util.find_spec("pipecat")
    for folder in (package.submodule_search_locations if package else None) or ():
        files = sorted(Path(folder, "audio", "turn", "smart_turn", "data").glob("smart-turn-v3*-cpu.onnx"))
        if files:
            return files[-1]
    raise ModelError(
        "Smart Turn's model is missing: pip install 'vivavoce[smart-turn]', or the package that carries it without "
        "what that depends on: pip install --no-deps pipecat-ai"
    )
