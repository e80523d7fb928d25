"""The two other ends of ``bench/relay.py``, each a process of its own: the upstream, and the least of proxies."""

import asyncio
import json
import random
import sys

import pybase64
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve

CREATED = json.dumps({"type": "session.created", "event_id": "event_1", "session": {"type": "realtime", "audio": {}}})
DELTA = json.dumps(
    {
        "type": "response.output_audio.delta", "event_id": "event_2", "response_id": "resp_1", "item_id": "item_1",
        "output_index": 0, "content_index": 0, "delta": pybase64.b64encode_as_string(random.Random(1).randbytes(4800)),
    }
)  # fmt: skip


async def upstream() -> None:
    """A delta for each append. Prints its port."""

    async def session(socket: ServerConnection) -> None:
        await socket.send(CREATED)
        async for event in socket:
            if "append" in event:
                await socket.send(DELTA)

    async with serve(session, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()


async def proxy(upstream_port: int, port: int) -> None:
    """As little as can be: each message goes on as it came, unread."""

    async def pump(source: Connection, to: Connection) -> None:
        async for message in source:
            await to.send(message)

    async def session(client: ServerConnection) -> None:
        url = f"ws://127.0.0.1:{upstream_port}/v1/realtime?model=gpt-realtime"
        async with connect(url, compression=None, max_size=None, proxy=None) as to:
            pumps = [asyncio.create_task(pump(client, to)), asyncio.create_task(pump(to, client))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async with serve(session, "127.0.0.1", port, compression=None, max_size=None):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(upstream() if sys.argv[1] == "upstream" else proxy(int(sys.argv[2]), int(sys.argv[3])))
