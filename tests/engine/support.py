"""An engine session with fake models, and a client's hand on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, FakeVad, tone
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import Kind, SessionRequest
from vivavoce.engine.mcp import McpGateway
from vivavoce.models.interfaces import Llm, Stt, Tts, TurnModel, Vad
from vivavoce.protocol.frame import APPEND, TURN, Frame, Line

SILENCE_20_MS = bytes(2 * 480)


@dataclass
class Senses:
    stt: Stt
    llm: Llm
    tts: Tts
    vad: Vad
    turn: TurnModel | None = None

    async def close(self) -> None:
        for sense in (self.stt, self.llm, self.tts):
            await sense.close()


def senses(*, stt: Stt | None = None, llm: Llm | None = None, tts: Tts | None = None) -> Senses:
    return Senses(stt or FakeStt(), llm or FakeLlm(), tts or FakeTts(), FakeVad())


class Hand:
    """Sends what a client sends and collects what it is told."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.seen: list[Frame] = []
        self.turns: list[Frame] = []
        """What observers alone are told."""

    async def say(self, type: str, **fields: Any) -> None:
        await self.line.send(Frame(type, {"type": type, **fields}))

    async def update(self, **session: Any) -> None:
        await self.say("session.update", session={"type": "realtime", **session})

    async def hear(self, pcm: bytes) -> None:
        """Audio, in frames of 20 ms, as fast as it goes."""
        for at in range(0, len(pcm), 960):
            await self.line.send(Frame(APPEND, {"type": APPEND}, pcm[at : at + 960]))

    async def live(self, pcm: bytes) -> None:
        """Audio as a microphone sends it: 20 ms every 20 ms."""
        for at in range(0, len(pcm), 960):
            await asyncio.sleep(0.02)
            await self.line.send(Frame(APPEND, {"type": APPEND}, pcm[at : at + 960]))

    async def speak(self, ms: float, silence_ms: float = 0) -> None:
        await self.hear(tone(ms))
        await self.hear(bytes(round(silence_ms * 48)))

    async def until(self, type: str) -> dict[str, Any]:
        """The next event of that type; everything before it is in ``seen`` too."""
        while True:
            frame = await self.line.receive()
            if frame.type == TURN:
                self.turns.append(frame)
                continue
            self.seen.append(frame)
            if frame.type == type:
                return dict(frame.data)

    @property
    def types(self) -> list[str]:
        return [frame.type for frame in self.seen]

    def sound(self) -> bytes:
        return b"".join(frame.audio or b"" for frame in self.seen if frame.type == "response.output_audio.delta")


@asynccontextmanager
async def session(
    given: Senses,
    *,
    media: bool = False,
    config: dict[str, Any] | None = None,
    mcp: McpGateway | None = None,
    early: bool = True,
    forgiving: bool = False,
) -> AsyncIterator[Hand]:
    backend = Builtin(given, lambda: 1_700_000_000.0, mcp=mcp, early=early)
    kind: Kind = "transcription" if config and config.get("type") == "transcription" else "realtime"
    request = SessionRequest("sess_test", "gpt-realtime", kind, config, media, forgiving=forgiving)
    line = await backend.open(request)
    try:
        yield Hand(line)
    finally:
        await line.close()
