"""A turn in a real browser is recorded, and both sides are where they were."""

from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

from tests.e2e.browser import SPEECH, OrbPage
from tests.sessions.recording.test_recorder import heard
from tests.support.process import serve
from vivavoce.audio.wav import read_wav

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.models,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.realtime,
]

QUESTION = "time_in_london.wav"
LATE = 0.6
"""Seconds. The sound's way to the server and back is part of what a browser measures, and on a machine with other work
to do Chromium's own sound is late; 50 ms are held in ``tests/sessions/recording``, where time is exact."""


def first_sound(recording: str) -> float:
    """Seconds into a recording."""
    pcm, rate = read_wav(SPEECH / recording)
    samples = np.abs(np.frombuffer(pcm, np.int16)[: len(pcm) // 2 // 480 * 480].reshape(-1, 480)).mean(axis=1)
    return float(np.flatnonzero(samples > 0.02 * 32768)[0] * 480 / rate)


def begun(side: list[tuple[float, float]]) -> list[float]:
    """Where a side begins to speak after more than a second of silence."""
    ends = [-2.0, *(end for _, end in side)]
    return [start for (start, _), before in zip(side, ends, strict=False) if start - before > 1.0]


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_both_sides_are_where_they_were(orb: OrbPage, tmp_path: Path, transport: str) -> None:
    async with serve(tmp_path, "--port", "0", "--store", "audio") as process:
        await orb.open(await process.address())
        await orb.set(transport=transport)
        await orb.start()
        await expect(orb.orb.get_by_text("This conversation is recorded.")).to_be_visible()
        times = []
        for _ in range(2):
            await orb.page.evaluate("() => { window.heard = __probe.heardAt(0.01) }")
            await orb.say(QUESTION)
            said, answered = await orb.page.evaluate("heard.then((at) => [__probe.saidAt, at])")
            times.append((said + first_sound(QUESTION), answered))
            await orb.becomes("listening", timeout=30)
            await orb.hush(1000)
        await orb.click()
        await orb.nothing_is_open()
        process.signal(15)
        await process.rest()
    (file,) = (tmp_path / "data" / "recordings").rglob("*.ogg")
    user, assistant = (begun(side) for side in heard(file))
    waited = np.array([answered - said for said, answered in times])
    assert len(user) == len(assistant) == 2
    assert np.abs(np.array(assistant) - np.array(user) - waited).max() < LATE, (times, user, assistant)
