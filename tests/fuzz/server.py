"""The server that is thrown at: all of it, with models that never tire. As a module it says its port, and serves."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.support import Senses
from tests.support.fake_models import FakeTts, FakeVad
from vivavoce.backends.builtin import Builtin
from vivavoce.models.interfaces import Answer, Finish, Hints, Prompt, Said, Transcript
from vivavoce.server import logs
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import Server, Serving, listen

__all__ = ["Running", "running"]


@dataclass(frozen=True, slots=True)
class Running:
    address: str
    """Of its socket."""
    process: int
    log: Path


class Stt:
    rate, name = 16_000, "stt"

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        return Transcript("hello")

    async def close(self) -> None: ...


class Llm:
    name, sees = "llm", True

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        yield Said("Hello to you too.")
        yield Finish()

    async def close(self) -> None: ...


class Tts(FakeTts):
    async def speak(self, text: str, voice: str, speed: float, language: str | None = None) -> AsyncIterator[bytes]:
        async for chunk in super().speak(text, voice, speed, language):
            yield chunk
        self.asked.clear()


@asynccontextmanager
async def running(log: Path) -> AsyncIterator[Running]:
    """``log`` is the file for what it writes."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fuzz.server", stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    assert process.stdout
    try:
        port = int(await process.stdout.readline())
        yield Running(f"ws://127.0.0.1:{port}/v1/realtime", process.pid, log)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


if __name__ == "__main__":
    logs.set_up("warning")
    listening = listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    models = Senses(Stt(), Llm(), Tts(), FakeVad())
    Server(build(ServerOptions(), Builtin(models, time.time)), Serving(drain_seconds=0)).run([listening])
