"""A WebSocketLine between a real uvicorn and a real client."""

import asyncio
import itertools
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, HOLD, Closed, Frame
from vivavoce.transports.websocket import WebSocketLine

Talk = Callable[[WebSocketLine], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, **options: float) -> AsyncIterator[str]:
    """Serves ``talk`` on a free port and yields its URL; raises what ``talk`` raised."""
    numbers = itertools.count(1)
    outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await talk(WebSocketLine(websocket, Ga(), new_id=lambda: f"event_{next(numbers)}", **options))
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(error)

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    config = uvicorn.Config(app, ws="websockets-sansio", log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listening]))
        try:
            yield f"ws://127.0.0.1:{listening.getsockname()[1]}/"
            await asyncio.wait_for(outcome, 10)
        finally:
            server.should_exit = True


async def test_audio_is_bytes_inside_and_base64_on_the_wire() -> None:
    async def echo(line: WebSocketLine) -> None:
        frame = await line.receive()
        assert (frame.type, frame.audio) == (APPEND, b"\x01\x02")
        await line.send(Frame(FLUSH, {"item_id": "item_1"}))  # not for a WebSocket
        await line.send(Frame(HOLD, {"on": True}))
        await line.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, frame.audio))
        await line.close()

    async with serving(echo) as url, websockets.connect(url) as client:
        await client.send('{"type": "input_audio_buffer.append", "audio": "AQI="}')
        assert json.loads(await client.recv()) == {"type": AUDIO_DELTA, "item_id": "item_1", "delta": "AQI="}


@pytest.mark.parametrize(
    ("message", "code", "event_id"),
    [
        ("{nonsense", "invalid_event", None),
        ("[1]", "invalid_event", None),
        ('{"event_id": "mine"}', "invalid_event", None),
        (b"\x00\x01", "invalid_event", None),
        ('{"type": "input_audio_buffer.append", "audio": "?", "event_id": "mine"}', "invalid_value", "mine"),
    ],
)
async def test_what_is_no_event_is_answered_and_the_line_goes_on(
    message: str | bytes, code: str, event_id: str | None
) -> None:
    async def listen(line: WebSocketLine) -> None:
        assert (await line.receive()).type == "response.create"

    async with serving(listen) as url, websockets.connect(url) as client:
        await client.send(message)
        answer = json.loads(await client.recv())
        await client.send('{"type": "response.create"}')
    assert (answer["type"], answer["event_id"]) == ("error", "event_1")
    assert set(answer["error"]) == {"type", "code", "message", "param", "event_id"}
    assert (answer["error"]["type"], answer["error"]["code"]) == ("invalid_request_error", code)
    assert answer["error"]["event_id"] == event_id


def test_aiortc_is_loaded_for_calls_alone() -> None:
    check = "import sys, vivavoce.transports.websocket, vivavoce.transports.webrtc; sys.exit('aiortc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], timeout=30).returncode == 0


async def test_a_message_may_hold_several_frames() -> None:
    class Twice(Ga):
        def decode(self, text: str | bytes) -> list[Frame]:
            return super().decode(text) * 2

    received: list[str] = []

    async def listen(line: WebSocketLine) -> None:
        line._dialect = Twice()
        received.extend([(await line.receive()).type for _ in range(4)])

    async with serving(listen) as url, websockets.connect(url) as client:
        await client.send('{"type": "a"}')
        await client.send('{"type": "b"}')
    assert received == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (lambda client: client.close(4001, "enough"), 4001),
        (lambda client: client.close(), 1000),
        (lambda client: asyncio.sleep(0, client.transport.abort()), 1006),
    ],
    ids=["with a code", "normally", "by a cut"],
)
async def test_the_peer_goes(leave: Callable[[websockets.ClientConnection], Awaitable[None]], code: int) -> None:
    async def listen(line: WebSocketLine) -> None:
        for act in (line.receive(), line.receive(), line.send(Frame("x", {"type": "x"}))):  # and stays gone
            with pytest.raises(Closed) as end:
                await act
            assert end.value.code == code
        await line.close()

    async with serving(listen) as url, websockets.connect(url) as client:
        await leave(client)


@pytest.mark.parametrize(("code", "sent"), [(4000, 4000), (1006, 1011), (1005, 1000)])
async def test_closing_from_here(code: int, sent: int) -> None:
    async def hang_up(line: WebSocketLine) -> None:
        await line.close(code, "é" * 100)
        await line.close(1000)  # no harm
        with pytest.raises(Closed):
            await line.receive()
        with pytest.raises(Closed):
            await line.send(Frame("x", {"type": "x"}))

    async with serving(hang_up) as url, websockets.connect(url) as client:
        with pytest.raises(websockets.ConnectionClosed) as end:
            await client.recv()
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == sent
    assert end.value.rcvd.reason == "é" * 61  # 123 bytes at most, no half character


async def test_who_does_not_read_is_disconnected_and_costs_no_memory() -> None:
    event = Frame("big", {"type": "big", "filler": "x" * 1_000_000})
    sent = 0

    async def flood(line: WebSocketLine) -> None:
        async def fill() -> None:
            nonlocal sent
            while sent < 1000:
                await line.send(event)
                sent += 1

        with pytest.raises(Closed, match="too slowly") as end:
            await fill()
        assert end.value.code == 1008

    async with serving(flood, patience=0.2) as url:
        address = ("127.0.0.1", int(url.split(":")[2].rstrip("/")))
        _, writer = await asyncio.open_connection(*address, limit=1)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        # nothing is read: the kernel takes some megabytes, then the server's buffer is full
    writer.transport.abort()
    assert sent < 50
