"""The client's connection: what it asks for, what passes through, and each way it can end."""

import asyncio
import socket
from http import HTTPStatus

import pytest

from tests.support.scripted_realtime import Stage, refusing, scripted
from vivavoce.client.realtime import Refused, Unreachable, connect
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame


async def test_key_in_the_header_model_in_the_query_no_compression():
    async def script(stage: Stage) -> None:
        assert stage.path == "/v1/realtime?model=gpt-realtime"
        assert stage.headers["Authorization"] == "Bearer sk-test"
        assert stage.extensions == []
        await stage.send("session.created", session={})

    async with scripted(script) as url, connect(url, key="sk-test", model="gpt-realtime") as session:
        assert (await session.receive()).type == "session.created"


async def test_no_key_means_no_header():
    async def script(stage: Stage) -> None:
        assert "Authorization" not in stage.headers
        await stage.send("session.created", session={})

    async with scripted(script) as url, connect(url) as session:
        await session.receive()


async def test_audio_is_bytes_inside_and_base64_outside():
    async def script(stage: Stage) -> None:
        assert (await stage.expect(APPEND))["audio"] == "AQIDBA=="
        await stage.send(AUDIO_DELTA, delta="BQY=")

    async with scripted(script) as url, connect(url) as session:
        await session.send(Frame(APPEND, {"type": APPEND}, b"\1\2\3\4"))
        frame = await session.receive()
        assert (frame.type, frame.audio) == (AUDIO_DELTA, b"\5\6")


async def test_an_event_of_15_mib_passes_both_ways():
    audio = bytes(11 * 1024 * 1024)

    async def script(stage: Stage) -> None:
        event = await stage.expect(APPEND)
        await stage.send(AUDIO_DELTA, delta=event["audio"])

    async with scripted(script) as url, connect(url) as session:
        await session.send(Frame(APPEND, {"type": APPEND}, audio))
        assert (await session.receive()).audio == audio


async def test_leaving_the_with_closes_the_socket():
    left = asyncio.Event()

    async def script(stage: Stage) -> None:
        await stage.gone()
        left.set()

    async with scripted(script) as url:
        async with connect(url):
            pass
        async with asyncio.timeout(5):
            await left.wait()


@pytest.mark.parametrize(
    ("end", "code", "reason"),
    [
        (lambda stage: stage.close(4000, "invalid_request_error.invalid_model"), 4000,
         "invalid_request_error.invalid_model"),
        (lambda stage: stage.close(1001, "going away"), 1001, "going away"),
        (lambda stage: stage.cut(), 1006, "The connection was cut."),
        (lambda stage: stage.send_text("not json"), 1002, "The server sent what is no event"),
    ],
    ids=["refused", "leaving", "cut", "garbage"],
)  # fmt: skip
async def test_how_the_server_ended_it(end, code: int, reason: str):
    async with scripted(end) as url, connect(url) as session:
        with pytest.raises(Closed) as closed:
            await session.receive()
        assert closed.value.code == code
        assert closed.value.reason.startswith(reason)
        with pytest.raises(Closed):
            await session.send(Frame("response.create", {"type": "response.create"}))


async def test_a_refusal_carries_the_servers_words():
    body = b'{"error": {"type": "invalid_request_error", "code": "invalid_api_key", "message": "No such key."}}'
    async with refusing(HTTPStatus.UNAUTHORIZED, body) as url:
        with pytest.raises(Refused, match="No such key") as refused:
            async with connect(url, key="sk-wrong"):
                pass
    assert (refused.value.status, refused.value.error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "no"}', b"\xff"])
async def test_a_refusal_in_any_other_shape(body: bytes):
    async with refusing(HTTPStatus.BAD_GATEWAY, body) as url:
        with pytest.raises(Refused, match="HTTP status 502"):
            async with connect(url):
                pass


async def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match=rf"Nothing answers at ws://127.0.0.1:{port}/v1/realtime: .*refused"):
        async with connect(f"ws://127.0.0.1:{port}/v1/realtime?secret=x"):
            pass


async def test_somebody_who_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(Unreachable, match=r"did not answer within 0\.2 s"):
            async with connect(f"ws://127.0.0.1:{silent.getsockname()[1]}", patience=0.2):
                pass


async def test_somebody_who_speaks_something_else():
    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(smtp, "127.0.0.1", 0) as server:
        with pytest.raises(Unreachable, match="does not speak WebSocket"):
            async with connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
                pass


@pytest.mark.parametrize("url", ["127.0.0.1:7171", "ftp://x/y", "ws://", ""])
async def test_an_address_that_is_none(url: str):
    with pytest.raises(Unreachable, match="not a ws:// or wss:// address"):
        async with connect(url):
            pass
