"""A spoken question to the default models, and how soon the answer sounds; and how soon a server is alive.

    python -m bench.turn

Starts ``vivavoce serve`` on a free port, asks each recorded question of the tests as a microphone would, and prints
the time from the last voiced sample to the first sound, with the time from the start of the process to ``/health``.
"""

import asyncio
import statistics
import sys
import tempfile
import time

import aiohttp

from bench.processes import free_port, running
from tests.support.speech import speech
from vivavoce.audio import HOUSE_RATE
from vivavoce.client.realtime import connect
from vivavoce.client.turn import say

QUESTIONS = ["time_in_london", "time_in_london_rms", "time_in_london_awb", "twelve_times_seven", "weather_in_paris"]


async def alive(port: int) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/health") as response:
        response.raise_for_status()


async def first_sounds(port: int) -> list[float]:
    """Milliseconds from the end of speech to the first audio, a question each, each in a session of its own."""
    found = []
    for name in QUESTIONS:
        async with connect(f"ws://127.0.0.1:{port}/v1/realtime", model="gpt-realtime") as line:
            turn = await say(line, speech(name, HOUSE_RATE))
        found.append((turn.steps["first audio"] - turn.asked_at) * 1000)
        print(f"{name:24}{found[-1]:6.0f} ms   {turn.answer}")
    return found


async def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        options = ["--port", str(port), "--data-dir", directory, "--log-level", "warning"]
        began = time.monotonic()
        async with running([sys.executable, "-m", "vivavoce", "serve", *options], port) as process:
            await alive(process.port)
            print(f"{'alive (/health)':24}{(time.monotonic() - began) * 1000:6.0f} ms after the start")
            sounds = await first_sounds(process.port)
    print(f"{'first audio, median':24}{statistics.median(sounds):6.0f} ms after the end of speech")


if __name__ == "__main__":
    asyncio.run(main())
