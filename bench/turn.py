"""A spoken question to the default models, and how soon the answer sounds; and how soon a server is alive.

    python -m bench.turn

Starts ``vivavoce serve`` on a free port, asks each recorded question of the tests as a microphone would, and prints
the time from the last voiced sample to the first sound, with the time from the start of the process to ``/health``.
"""

import asyncio
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.processes import free_port
from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav
from vivavoce.client.realtime import connect
from vivavoce.client.turn import say

SPEECH = Path(__file__).parent.parent / "tests" / "speech"
QUESTIONS = ["time_in_london", "time_in_london_rms", "time_in_london_awb", "twelve_times_seven", "weather_in_paris"]


def alive(port: int) -> float:
    """Seconds until /health is answered."""
    began = time.monotonic()
    while time.monotonic() - began < 30:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    return time.monotonic() - began


async def first_sounds(port: int) -> list[float]:
    """Milliseconds from the end of speech to the first audio, a question each, each in a session of its own."""
    found = []
    for name in QUESTIONS:
        pcm, rate = read_wav(SPEECH / f"{name}.wav")
        async with connect(f"ws://127.0.0.1:{port}/v1/realtime", model="gpt-realtime") as line:
            turn = await say(line, convert(pcm, rate, HOUSE_RATE))
        found.append((turn.steps["first audio"] - turn.asked_at) * 1000)
        print(f"{name:24}{found[-1]:6.0f} ms   {turn.answer}")
    return found


def main() -> None:
    port = free_port()
    command = [sys.executable, "-m", "vivavoce", "serve", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        print(f"{'alive (/health)':24}{alive(port) * 1000:6.0f} ms after the start")
        sounds = asyncio.run(first_sounds(port))
        print(f"{'first audio, median':24}{statistics.median(sounds):6.0f} ms after the end of speech")
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
