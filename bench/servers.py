"""The servers that ``bench/engine.py`` sets side by side, and the models that all of them ask: stubs over HTTP that
take a set time and give the same to everybody."""

import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Process, environment, free_port, running
from bench.stubs import Delays
from bench.talkers import Raw, Realtime, Wire

__all__ = ["OURS", "PEERS", "Server", "standing", "stubs"]

HERE = Path(__file__).parent
MOST_SESSIONS = 2_000


@dataclass(frozen=True)
class Server:
    name: str
    command: Callable[[int, str, float, Path], list[str]]
    """From the port, the models' address, the silence that ends a turn in seconds, and a directory to write to."""
    wire: Callable[[float], Wire]


def _ours(port: int, models: str, silence: float, directory: Path) -> list[str]:
    options = ["--port", str(port), "--data-dir", str(directory), "--log-level", "error", "--backend", "builtin"]
    options += ["--max-sessions", str(MOST_SESSIONS), "--transport", "websocket", "--end-of-turn", "words"]
    for sense in ("stt", "llm", "tts"):
        options += [f"--{sense}", "openai", f"--{sense}-url", models, f"--{sense}-model", "stub"]
    return [sys.executable, "-m", "vivavoce", "serve", *options]


def _peer(name: str, *packages: str) -> Callable[[int, str, float, Path], list[str]]:
    def command(port: int, models: str, silence: float, directory: Path) -> list[str]:
        python, program = environment(name, list(packages)), HERE / "peers" / f"{name}_server.py"
        return [str(python), str(program), str(port), models, str(silence)]

    return command


OURS = Server("Vivavoce", _ours, lambda silence: Realtime(round(silence * 1000)))
LIVEKIT = Server(
    "LiveKit AgentSession 1.8.9",
    _peer(
        "livekit",
        "livekit-agents==1.8.9",
        "livekit-plugins-silero==1.8.9",
        "livekit-plugins-openai==1.8.9",
        "websockets",
    ),
    lambda _: Raw(),
)
PIPECAT = Server(
    "Pipecat 1.14.0",
    _peer("pipecat", "pipecat-ai[silero,websocket,openai]==1.14.0", "uvicorn[standard]"),
    lambda _: Raw(),
)
PEERS = (LIVEKIT, PIPECAT)


@asynccontextmanager
async def standing(server: Server, models: str, silence: float, *options: str) -> AsyncIterator[Process]:
    """The server, up and answering. ``options`` are more of its command."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        command = [*server.command(port, models, silence, Path(directory)), *options]
        async with running(command, port) as process:
            yield process


@asynccontextmanager
async def stubs(delays: Delays) -> AsyncIterator[str]:
    """The models' address, with ``/v1`` at its end."""
    port = free_port()
    async with running([sys.executable, "-m", "bench.stubs", "--port", str(port), *delays.options()], port):
        yield f"http://127.0.0.1:{port}/v1"
