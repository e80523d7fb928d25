"""The main job from the terminal: a server as it is started, a recorded question, the answer and its timing."""

import asyncio
import re
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.process import serve
from tests.support.speech import FOLDER
from vivavoce.audio.pcm import level_dbfs
from vivavoce.audio.wav import read_wav
from vivavoce.cli.main import main

pytestmark = [pytest.mark.models, pytest.mark.realtime]


async def talk(address: str, *args: str | Path) -> str:
    """Without an address, with the server that runs here."""
    where = ["--url", f"{address}/v1/realtime"] if address else []
    options = ["talk", *where, *map(str, args)]
    result = await asyncio.to_thread(CliRunner().invoke, main, options)
    assert result.exit_code == 0, result.output
    return result.output


async def test_questions_are_answered_and_their_timing_told(tmp_path: Path):
    """How long it takes is measured by ``bench/turn.py``: a test that waits for other tests would tell nothing."""
    async with serve(tmp_path, "--port", "0") as process:
        address = await process.address()
        said = await talk(address, "--wav", FOLDER / "time_in_london.wav", "--out", tmp_path / "answer.wav")
        typed = await talk("", "--text", "What is 12 times 7?", "--data-dir", tmp_path / "data")
        process.signal(signal.SIGTERM)
        status, log = await process.rest()

    assert "what time is it in london" in said.splitlines()[0]
    assert "London" in said.splitlines()[1]
    assert re.search(r"\d+ ms  first audio", said)
    pcm, rate = read_wav(tmp_path / "answer.wav")
    assert len(pcm) / 2 / rate > 1.0
    assert level_dbfs(pcm) > -40
    assert "84" in typed.splitlines()[1]
    assert status == 0
    assert "Traceback" not in log
