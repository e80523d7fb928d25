"""A few hundred of what ``make fuzz`` throws by the hundred thousand."""

from pathlib import Path

from tests.fuzz.server import running
from tests.fuzz.throwing import memory, throw

FRAMES = 600
MOST_GROWTH = 60
"""Megabytes: a server that has just begun still loads and fills its pools."""


async def test_no_frame_goes_unanswered_and_nobody_else_feels_it(tmp_path: Path):
    async with running(tmp_path / "log") as server:
        await throw(server.address, 200, seed=1)
        before = memory(server.process)
        result = await throw(server.address, FRAMES, seed=2)
        grown = memory(server.process) - before
    assert not result.faults
    assert result.frames == FRAMES
    assert result.answers["errors"] > FRAMES / 2
    assert len(result.turns) > 3
    assert grown < MOST_GROWTH
    assert "Traceback" not in server.log.read_text()
