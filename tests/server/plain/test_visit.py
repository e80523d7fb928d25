"""A plain request beside everything else: the server that leaves, bodies without an end, threads with odd names."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.fake_models import FakeLlm, says
from tests.support.leaks import no_leaks
from tests.support.plain import built_in
from vivavoce.models.interfaces import Answer, Prompt, Said
from vivavoce.server.options import ServerOptions
from vivavoce.server.security import LARGER
from vivavoce.server.v1.plain import visit

HELLO: Any = {"model": "x", "messages": [{"role": "user", "content": "Hello."}]}
CHAT = "/v1/chat/completions"


class Gated:
    """Says a word when it may."""

    name = "gated"
    sees = False

    def __init__(self) -> None:
        self.begun, self.may = asyncio.Event(), asyncio.Event()

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        self.begun.set()
        await self.may.wait()
        yield Said("Done.")

    async def close(self) -> None: ...


async def test_a_server_that_leaves_lets_it_be_answered() -> None:
    llm = Gated()
    async with built_in(llm=llm) as served, httpx.AsyncClient(base_url=served.http, timeout=10) as http:
        asking = asyncio.create_task(http.post(CHAT, json=HELLO))
        await llm.begun.wait()
        leaving = asyncio.create_task(served.service.registry.drain(5))
        refused = await http.post(CHAT, json=HELLO)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
        llm.may.set()
        answer = await asking
        assert answer.json()["choices"][0]["message"]["content"] == "Done."
        await leaving


async def test_a_server_that_waits_no_longer_says_so() -> None:
    llm = Gated()
    async with built_in(llm=llm) as served, httpx.AsyncClient(base_url=served.http, timeout=10) as http:
        asking = asyncio.create_task(http.post(CHAT, json=HELLO))
        await llm.begun.wait()
        await served.service.registry.drain(0)
        assert (await asking).json()["error"]["code"] == "stopping"


async def test_nothing_is_left_of_it() -> None:
    async with no_leaks(sockets=True), built_in(llm=FakeLlm(*[says("Hi.")] * 3)) as served:
        async with httpx.AsyncClient(base_url=served.http) as http:
            for body in (HELLO, {**HELLO, "stream": True}, {**HELLO, "n": 3}):
                await http.post(CHAT, json=body)
        assert len(served.service.registry) == 0


async def test_places_of_sessions_are_not_taken_by_more_requests_than_there_are() -> None:
    llm = Gated()
    async with built_in(ServerOptions(max_sessions=1), llm=llm) as served:
        async with httpx.AsyncClient(base_url=served.http, timeout=10) as http:
            asking = asyncio.create_task(http.post(CHAT, json=HELLO))
            await llm.begun.wait()
            full = await http.post(CHAT, json=HELLO)
            assert (full.status_code, full.headers["retry-after"]) == (503, "10")
            llm.may.set()
            assert (await asking).status_code == 200


@pytest.mark.parametrize("path", LARGER)
async def test_a_body_has_an_end(path: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield head if "audio" in path else b"["
        for _ in range(LARGER[path] // 2**20 + 1):
            yield b" " * 2**20

    async with built_in() as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        kind = "multipart/form-data; boundary=b" if "audio" in path else "application/json"
        answer = await http.post(path, content=endless(), headers={"Content-Type": kind})
        assert answer.status_code == 413
        assert str(LARGER[path]) in answer.json()["error"]["message"]


async def test_a_body_that_does_not_come_holds_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "READ_SECONDS", 0.05)
    async with built_in() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode())
        async with asyncio.timeout(5):
            assert b" 408 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("name", ["../etc/passwd", "a" * 65, "with space"])
async def test_the_name_of_a_thread_is_a_word(name: str) -> None:
    async with built_in() as served, httpx.AsyncClient(base_url=served.http) as http:
        answer = await http.post(CHAT, json=HELLO, headers={"X-Vivavoce-Thread": name})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "X-Vivavoce-Thread")
