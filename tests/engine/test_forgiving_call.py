"""A real call, forgiving: somebody coughs over the answer, which stands still, and goes on."""

import asyncio
from itertools import pairwise

import numpy as np
from av import AudioFrame

from tests.conformance.test_webrtc import placed
from tests.engine.support import senses
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says
from tests.transports.webrtc.caller import Microphone

FRAME_MS = 20
BEFORE, COUGH, AFTER = 1500, 300, 1200
LOUD = 500


class Cougher(Microphone):
    """Silent, but for a cough a while after :meth:`begin`."""

    def __init__(self) -> None:
        super().__init__()
        self._ms: int | None = None
        self.over = asyncio.Event()

    def begin(self) -> None:
        self._ms = 0

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        coughs = self._ms is not None and BEFORE <= self._ms < BEFORE + COUGH
        if self._ms is not None:
            self._ms += FRAME_MS
            if self._ms >= BEFORE + COUGH + AFTER:
                self.over.set()
        if coughs:
            return frame
        silent = AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
        silent.sample_rate, silent.pts, silent.time_base = 48_000, frame.pts, frame.time_base
        return silent


async def test_the_answer_stands_still_and_goes_on():
    given = senses(stt=FakeStt("hm", delay=0.05), llm=FakeLlm(says("word " * 16)), tts=FakeTts(word_ms=500))
    microphone = Cougher()
    async with placed(given, {"type": "realtime", "forgiving": True}, microphone) as (caller, _served, _call_id):
        assert (await caller.event())["type"] == "session.created"
        caller.say(type="response.create")
        async with asyncio.timeout(20):
            await caller.sounded.wait()
            microphone.begin()
            await microphone.over.wait()
        told = [caller.events.get_nowait()["type"] for _ in range(caller.events.qsize())]
    assert not [type for type in told if type.startswith("input_audio_buffer") or type.endswith("truncated")]
    loud = [at for at, loudness in caller.heard if loudness > LOUD]
    gaps = [(after - before) / 48 for before, after in pairwise(loud)]
    assert 200 < max(gaps) < 1200, "it stood still for the cough and its recognition"
    assert loud[-1] - loud[gaps.index(max(gaps))] > 48 * 400, "and went on"
