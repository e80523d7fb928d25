"""What a session costs without its models, each server a process of its own: all of Vivavoce with models that cost
nothing, and the floor, the least that a server of the protocol can do: bare ``websockets`` with JSON and base64.

    python -m bench.socket_path floor|ours [PORT]

runs one, and prints its port.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pybase64
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from bench.processes import Process, running

__all__ = ["FLOOR", "OURS", "PCM", "Server", "command", "joined"]

FLOOR, OURS = "floor", "ours"
PCM = bytes(range(256)) * 3 + bytes(192)
"""20 ms."""
CHUNKS = 2000
"""Deltas of one answer."""
DELTA = {
    "type": "response.output_audio.delta", "event_id": "event_0123456789abcdef0123",
    "response_id": "resp_0123456789abcdef0123", "item_id": "item_0123456789abcdef0123",
    "output_index": 0, "content_index": 0,
}  # fmt: skip


def command(which: str) -> list[str]:
    return [sys.executable, "-m", "bench.socket_path", which]


@dataclass
class Server:
    """One that is up, with a session on it."""

    socket: ClientConnection
    process: Process

    async def append(self, frames: int) -> float:
        """Microseconds of the server's processor for each frame of 20 ms that comes in."""
        append = json.dumps({"type": "input_audio_buffer.append", "audio": pybase64.b64encode_as_string(PCM)})
        began = self.process.cpu()
        for _ in range(frames):
            await self.socket.send(append)
        await self.until({"type": "input_audio_buffer.clear"}, "input_audio_buffer.cleared")
        return (self.process.cpu() - began) / frames * 1e6

    async def answer(self) -> float:
        """Microseconds of the server's processor for each frame of 20 ms that goes out."""
        began = self.process.cpu()
        done = await self.until({"type": "response.create"}, "response.done")
        took = (self.process.cpu() - began) / CHUNKS * 1e6
        for item in done["response"]["output"]:  # kept sound would be packed some time, which is not what is asked here
            await self.until({"type": "conversation.item.delete", "item_id": item["id"]}, "conversation.item.deleted")
        return took

    async def until(self, event: dict[str, Any], answer: str) -> dict[str, Any]:
        """Sends the event and waits for that answer."""
        await self.socket.send(json.dumps(event))
        while (told := json.loads(await self.socket.recv()))["type"] != answer:
            pass
        return dict(told)


@asynccontextmanager
async def joined(which: str) -> AsyncIterator[Server]:
    """The server, up, with a session that nobody's voice ends."""
    async with running(command(which)) as process:
        url = f"ws://127.0.0.1:{process.port}/v1/realtime?model=gpt-realtime"
        async with connect(url, compression=None, max_size=None, proxy=None) as socket:
            server = Server(socket, process)
            off = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
            await server.until({"type": "session.update", "session": off}, "session.updated")
            yield server


# The floor -----------------------------------------------------------------------------------------


async def _floor(port: int) -> None:
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    answers = {"session.update": "session.updated", "input_audio_buffer.clear": "input_audio_buffer.cleared"}

    async def session(socket: ServerConnection) -> None:
        async for text in socket:
            event = decode(text)
            if event["type"] == "input_audio_buffer.append":
                pybase64.b64decode(event["audio"], validate=True)
            elif event["type"] == "response.create":
                for _ in range(CHUNKS):
                    await socket.send(encode({**DELTA, "delta": pybase64.b64encode_as_string(PCM)}).decode())
                await socket.send('{"type": "response.done", "response": {"output": []}}')
            else:
                await socket.send(encode({"type": answers[event["type"]]}).decode())

    async with serve(session, "127.0.0.1", port, compression=None, max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()


# Ours ----------------------------------------------------------------------------------------------


class _Models:
    """Every sense at once, and each as cheap as it can be."""

    rate, window, name, sees = 24_000, 512, "none", False

    def stream(self) -> Any:
        return lambda window: 0.0

    async def transcribe(self, pcm: bytes, hints: Any) -> Any:
        raise AssertionError("nothing is committed")

    async def answer(self, prompt: Any) -> AsyncIterator[Any]:
        from vivavoce.models.interfaces import Finish, Said

        yield Said("Words.")
        yield Finish()

    def voices(self) -> Sequence[str]:
        return ("marin",)

    async def speak(self, text: str, voice: str, speed: float, language: str | None = None) -> AsyncIterator[bytes]:
        for _ in range(CHUNKS):
            yield PCM

    async def close(self) -> None: ...

    vad = stt = llm = tts = property(lambda self: self)
    turn = None


def _ours(port: int) -> None:
    from vivavoce.backends.builtin import Builtin
    from vivavoce.server.app import build
    from vivavoce.server.options import ServerOptions
    from vivavoce.server.run import Server as Uvicorn
    from vivavoce.server.run import Serving, listen

    listening = listen("127.0.0.1", port)
    print(listening.getsockname()[1], flush=True)
    app = build(ServerOptions(), Builtin(_Models(), time.time))
    Uvicorn(app, Serving(drain_seconds=0)).run([listening])


if __name__ == "__main__":
    which, given = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if which == FLOOR:
        uvloop.run(_floor(given))
    else:
        _ours(given)
