"""Models that take a set time, over HTTP in OpenAI's shapes: recognition that hears the same words in everything, a
mind that says so many words, a voice that hums.

    python -m bench.stubs --port PORT [--stt S] [--llm S] [--word S] [--tts S] [--words N]

Times are seconds: of a recognition, to the mind's first word, between its words, to the voice's first sound.
"""

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass, fields

import numpy as np
from aiohttp import web

__all__ = ["INSTANT", "REALISTIC", "Delays", "application"]

HEARD = "What time is it in London?"
RATE = 24_000
WORD_SECONDS = 0.3
"""Of sound, for each word that is spoken."""
CLAUSE_WORDS = 8
WHOLE = {
    "id": "stub", "object": "chat.completion", "created": 0, "model": "stub",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
}  # fmt: skip


@dataclass(frozen=True)
class Delays:
    stt: float = 0.0
    llm: float = 0.0
    word: float = 0.0
    tts: float = 0.0
    words: int = 3
    """In an answer."""

    def options(self) -> list[str]:
        return [text for name, value in asdict(self).items() for text in (f"--{name}", str(value))]


INSTANT = Delays()
REALISTIC = Delays(stt=0.08, llm=0.15, word=0.02, tts=0.1, words=4)


def application(delays: Delays) -> web.Application:
    models = _Models(delays)
    app = web.Application(client_max_size=32 * 2**20)
    app.router.add_post("/v1/audio/transcriptions", models.transcribe)
    app.router.add_post("/v1/chat/completions", models.answer)
    app.router.add_post("/v1/audio/speech", models.speak)
    return app


class _Models:
    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        wave = 8_000 * np.sin(2 * np.pi * 220 * np.arange(round(RATE * WORD_SECONDS)) / RATE)
        self._word = wave.astype("<i2").tobytes()

    async def transcribe(self, request: web.Request) -> web.Response:
        await request.post()
        await asyncio.sleep(self._delays.stt)
        return web.json_response({"text": HEARD})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if not (await request.json()).get("stream"):  # nobody waits for words here: a peer asks whether it works
            return web.json_response(WHOLE)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(self._delays.llm)
        for index in range(self._delays.words):
            if index:
                await asyncio.sleep(self._delays.word)
            await response.write(_chunk({"role": "assistant", "content": _nth(index)}, None))
        await response.write(_chunk({}, "stop") + b"data: [DONE]\n\n")
        return response

    async def speak(self, request: web.Request) -> web.StreamResponse:
        said = (await request.json())["input"].split()
        await asyncio.sleep(self._delays.tts)
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        for _ in said:
            await response.write(self._word)
        return response


def _nth(index: int) -> str:
    if index == 0:
        return "Yes, "
    return "truly. " if index % CLAUSE_WORDS == CLAUSE_WORDS - 1 else "well "


def _chunk(delta: dict[str, str], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = {"id": "stub", "object": "chat.completion.chunk", "created": 0, "model": "stub", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    for each in fields(Delays):
        parser.add_argument(f"--{each.name}", type=type(each.default), default=each.default)
    given = vars(parser.parse_args())
    port = given.pop("port")
    web.run_app(application(Delays(**given)), host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
