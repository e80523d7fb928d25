"""What a streamed piece of an answer costs in the adapters for other servers, beside reading the same bytes bare.

    python -m bench.adapters

A stub in a process of its own sends long answers, as fast as it can or a word every 2 ms; what is printed is this
process's CPU time for a piece, so that other work on the machine does not count.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp

from bench.servers import stubs
from bench.stubs import Delays
from vivavoce.models.interfaces import Hints, Message, Prompt
from vivavoce.models.llm.remote import RemoteLlm
from vivavoce.models.stt.remote import RemoteStt
from vivavoce.models.tts.remote import RemoteTts

WORDS, ROUNDS = 5_000, 5
PACED = Delays(words=500, word=0.002)
CLAUSE = "word " * 100
SPEECH = b"\x00\x10\x00\xf0" * 12_000
"""1.5 s at 16 kHz."""


async def main() -> None:
    prompt = Prompt("Be brief.", [Message("user", "Tell me a story.")])
    async with stubs(Delays(words=WORDS)) as url, stubs(PACED) as paced:
        llm, slow = RemoteLlm(url=url, model="stub"), RemoteLlm(url=paced, model="stub")
        tts, stt = RemoteTts(url=url, model="stub"), RemoteStt(url=url, model="stub")
        work: dict[str, Callable[[], Awaitable[int]]] = {
            "bare aiohttp, a word of many at once": lambda: bare(url),
            "the mind, a word of many at once": lambda: count(llm.answer(prompt)),
            "bare aiohttp, a word by itself": lambda: bare(paced),
            "the mind, a word by itself": lambda: count(slow.answer(prompt)),
            "the voice, a chunk of at most 200 ms": lambda: count(tts.speak(CLAUSE, "nova", 1.0)),
            "recognition, a request of 1.5 s of speech": lambda: once(stt),
        }
        for name, one in work.items():
            print(f"{name:44}{await each(one):8.1f} µs")
        for model in (llm, tts, stt, slow):
            await model.close()


async def each(work: Callable[[], Awaitable[int]]) -> float:
    """Microseconds of CPU for one of the pieces that ``work`` counts, at best."""
    found = []
    await work()
    for _ in range(ROUNDS):
        begun = time.process_time()
        pieces = await work()
        found.append((time.process_time() - begun) / pieces * 1e6)
    return min(found)


async def count(pieces: AsyncIterator[object]) -> int:
    made = 0
    async for _ in pieces:
        made += 1
    return made


async def once(stt: RemoteStt) -> int:
    await stt.transcribe(SPEECH, Hints())
    return 1


async def bare(url: str) -> int:
    body = {"model": "stub", "messages": [], "stream": True}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/chat/completions", json=body) as response:
        return sum([line.startswith(b"data:") async for line in response.content])


if __name__ == "__main__":
    asyncio.run(main())
