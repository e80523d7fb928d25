"""Listening, and leaving in order."""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.support.backends import ScriptedBackend
from tests.support.leaks import no_leaks
from tests.support.process import PATIENCE
from tests.support.serving import serving
from vivavoce.protocol.frame import Frame
from vivavoce.server.run import CannotListen, listen


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


async def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 5)))


async def ended(socket: ClientConnection) -> tuple[int | None, str | None]:
    with pytest.raises(ConnectionClosed):
        await event(socket)
    return socket.close_code, socket.close_reason


def response(kind: str) -> Frame:
    return Frame(kind, {"type": kind, "response": {"id": "resp_1"}})


def test_a_taken_port_says_what_to_do():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"Port {port} on 127.0.0.1 is taken.*--port"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_here():
    with pytest.raises(CannotListen, match=r"Cannot listen on 192\.0\.2\.1, port 0: .+\."):
        listen("192.0.2.1", 0)


async def test_leaving_lets_the_answer_end_and_tells_everybody():
    backend = ScriptedBackend()
    async with serving(backend, drain_seconds=30) as served, httpx.AsyncClient() as http:
        async with connect(served.ws) as idle, connect(served.ws) as busy:
            await event(idle)
            await event(busy)
            await backend.next_opened()
            answering = await backend.next_opened()
            answering.arrive(response("response.created"))
            assert (await event(busy))["type"] == "response.created"

            os.kill(os.getpid(), signal.SIGTERM)

            assert await ended(idle) == (1001, "The server is going away.")
            assert (await http.get(f"{served.http}/ready")).status_code == 503
            assert (await http.get(f"{served.http}/health")).status_code == 200
            with pytest.raises(InvalidStatus) as refusal:
                await connect(served.ws)
            assert refusal.value.response.status_code == 503
            async with connect(served.ws, origin=Origin(served.http)) as late:
                assert (await event(late))["error"]["code"] == "stopping"
                assert (await ended(late))[0] == 1001
            refused = await http.post(
                f"{served.http}/v1/realtime/calls", content="v=0", headers={"Content-Type": "application/sdp"}
            )
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")

            answering.arrive(response("response.done"))
            assert (await event(busy))["type"] == "response.done"
            assert await ended(busy) == (1001, "The server is going away.")
    assert backend.closed


async def test_an_answer_without_end_is_cut_at_the_limit():
    backend = ScriptedBackend()
    async with serving(backend, drain_seconds=0.05) as served, connect(served.ws) as busy:
        await event(busy)
        (await backend.next_opened()).arrive(response("response.created"))
        await event(busy)
        served.server.should_exit = True
        assert await ended(busy) == (1001, "The server is going away.")


async def test_a_second_signal_does_not_wait_for_answers():
    backend = ScriptedBackend()
    async with serving(backend, drain_seconds=3600) as served:
        async with connect(served.ws) as busy, connect(served.ws) as idle:
            await event(busy)
            (await backend.next_opened()).arrive(response("response.created"))
            await event(busy)
            await event(idle)
            os.kill(os.getpid(), signal.SIGTERM)
            assert (await ended(idle))[0] == 1001  # so the server is waiting for the answer by now
            os.kill(os.getpid(), signal.SIGTERM)
            assert await ended(busy) == (1001, "The server is going away.")
    assert backend.closed


SCRIPT = """
from tests.support.backends import ScriptedBackend
from vivavoce.server.app import build
from vivavoce.server.logs import set_up
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import Serving, listen, serve
import sys
set_up("info")
listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
serve(build(ServerOptions(), ScriptedBackend()), listening, Serving(drain_seconds=1))
heavy = {"aiortc", "av", "onnxruntime", "numpy", "pocketsphinx"} & sys.modules.keys()
print("heavy:", *sorted(heavy))
"""


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_answers_at_once_and_goes_when_told_to(sig):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        assert process.stderr
        port = int(await asyncio.wait_for(process.stdout.readline(), PATIENCE))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
            assert (await http.get("/health")).json() == {"status": "ok"}  # the socket listens already: no polling
        process.send_signal(sig)
        out, log = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, log.decode()
        assert out.decode().strip() == "heavy:"
        assert "Traceback" not in log.decode()
        assert "left" in log.decode().splitlines()[-1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
