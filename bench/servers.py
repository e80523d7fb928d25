"""The servers that ``bench/engine.py`` sets side by side, and the models that all of them ask: stubs over HTTP that
take a set time and give the same to everybody."""

import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import socket_path
from bench.processes import Process, environment, free_port, running
from bench.stubs import Delays
from bench.wires import Raw, Realtime, Wire

__all__ = ["FLOOR", "HF", "LIVEKIT", "OURS", "PEERS", "PIPECAT", "Server", "standing", "stubs"]

HERE = Path(__file__).parent
MOST_SESSIONS = 2_000

Command = Callable[[int, str, float, Path], list[str]]
"""From the port, the models' address, the silence that ends a turn in seconds, and a directory to write to."""


@dataclass(frozen=True)
class Server:
    name: str
    """Short, for the head of a column."""
    command: Command
    wire: Callable[[float], Wire]
    """From the silence that ends a turn."""
    most: int = MOST_SESSIONS
    """Sessions that it takes at one time."""


def _ours(port: int, models: str, silence: float, directory: Path) -> list[str]:
    options = ["--port", str(port), "--data-dir", str(directory), "--log-level", "error", "--backend", "builtin"]
    options += ["--max-sessions", str(MOST_SESSIONS), "--transport", "websocket", "--end-of-turn", "words"]
    for sense in ("stt", "llm", "tts"):
        options += [f"--{sense}", "openai", f"--{sense}-url", models, f"--{sense}-model", "stub"]
    return [sys.executable, "-m", "vivavoce", "serve", *options]


def _floor(port: int, models: str, silence: float, directory: Path) -> list[str]:
    return [*socket_path.command(socket_path.FLOOR), str(port)]


def _peer(name: str, *packages: str, alone: tuple[str, ...] = ()) -> Command:
    def command(port: int, models: str, silence: float, directory: Path) -> list[str]:
        python, program = environment(name, packages, alone), HERE / "peers" / f"{name}_server.py"
        return [str(python), str(program), str(port), models, str(silence)]

    return command


def _realtime(silence: float) -> Wire:
    return Realtime(round(silence * 1000))


OURS = Server("Vivavoce", _ours, _realtime)
FLOOR = Server("floor", _floor, _realtime)
"""Takes every message, decodes JSON and base64, and never says a word."""
LIVEKIT = Server(
    "LiveKit 1.8.9",
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
    "Pipecat 1.14",
    _peer("pipecat", "pipecat-ai[silero,websocket,openai]==1.14.0", "uvicorn[standard]"),
    lambda _: Raw(),
)
HF = Server(
    "HF 1.1",
    _peer(
        "hf",
        *("torch==2.13.0", "silero-vad", "transformers>=5.18,<6", "openai==2.28.0", "nltk==3.10.3", "librosa==0.11.0"),
        *(
            "fastapi",
            "uvicorn",
            "websockets",
            "httpx",
            "jsonschema",
            "onnxruntime",
            "pillow",
            "pyyaml",
            "rich",
            "scipy",
        ),
        *("sounddevice", "soxr", "lingua-language-detector"),
        # It also wants qwentts-cpp-python, for a voice that is not asked here, which has no wheel for glibc below 2.39.
        alone=("speech-to-speech==1.1.0",),
    ),
    _realtime,
    most=16,
)
PEERS = (LIVEKIT, PIPECAT, HF)


@asynccontextmanager
async def standing(server: Server, models: str, silence: float, *options: str) -> AsyncIterator[Process]:
    """The server, up and loaded. ``options`` are more of its command."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        command = [*server.command(port, models, silence, Path(directory)), *options]
        async with running(command, port) as process:
            await process.idle()
            yield process


@asynccontextmanager
async def stubs(delays: Delays) -> AsyncIterator[str]:
    """The models' address, with ``/v1`` at its end."""
    port = free_port()
    async with running([sys.executable, "-m", "bench.stubs", "--port", str(port), *delays.options()], port):
        yield f"http://127.0.0.1:{port}/v1"
