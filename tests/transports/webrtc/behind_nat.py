"""The two ends of calls in network namespaces of their own: ``nat.sh`` runs them.

    python -m tests.transports.webrtc.behind_nat serve
    python -m tests.transports.webrtc.behind_nat call NAME …

The server listens on TCP port 8000 and says back what it hears; each NAME is a way to be reached, and a path. The
caller prints for each whether it had the server's event and its own sound back.
"""

import asyncio
import contextlib
import sys
from typing import Any, NamedTuple

from aiohttp import ClientSession, ClientTimeout, web

from tests.transports.webrtc.caller import Caller
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame
from vivavoce.transports.webrtc.call import Call, answer, reach
from vivavoce.transports.webrtc.ice import Reach

OUTSIDE = "203.0.113.1"
RELAY: list[dict[str, Any]] = [
    {"urls": ["stun:203.0.113.9:3478"]},
    {"urls": ["turn:203.0.113.9:3478"], "username": "name", "credential": "word"},
]
LOST_SECONDS = 3
"""After which a call that has not come about never will."""


class Way(NamedTuple):
    reach: Reach
    servers: list[dict[str, Any]]


def ways() -> dict[str, Way]:
    """The router forwards the ports from 40000 to 40099."""
    return {
        "range": Way(reach((40_000, 40_009), [OUTSIDE]), []),
        "shared": Way(reach((40_010, 40_010), [OUTSIDE]), []),
        "unknown": Way(reach((40_020, 40_020)), []),
        "relayed": Way(reach((50_000, 50_000)), RELAY),
    }


async def serve() -> None:
    there, tasks = ways(), set[asyncio.Task[None]]()

    async def place(request: web.Request) -> web.Response:
        way, offer = there[request.match_info["way"]], await request.text()
        call, sdp = await answer(offer, Ga(), new_id=lambda: "event_1", reach=way.reach, servers=way.servers)
        tasks.add(asyncio.create_task(_echo(call)))
        return web.Response(text=sdp)

    app = web.Application()
    app.router.add_post("/{way}", place)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 8000).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def _echo(call: Call) -> None:
    with contextlib.suppress(Closed):
        await call.send(Frame("session.created", {"type": "session.created"}))
        while True:
            frame = await call.receive()
            if frame.type == APPEND:
                await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, frame.audio))


async def call(names: list[str]) -> None:
    async with ClientSession(timeout=ClientTimeout(10)) as http:
        for name in names:
            try:
                heard = await _heard(http, name)
            except TimeoutError:
                heard = "nothing"
            print(f"{name}: {heard}", flush=True)


async def _heard(http: ClientSession, name: str) -> str:
    servers = ways()[name].servers
    caller = Caller(servers=servers)
    try:
        offer = await caller.offer(candidates=bool(servers))
        async with http.post(f"http://{OUTSIDE}:8000/{name}", data=offer) as response:
            sdp = await response.text()
        async with asyncio.timeout(LOST_SECONDS):
            await caller.accept(sdp)
            said = (await caller.event())["type"]
            await caller.sounded.wait()
        return f"{said} and sound"
    finally:
        await caller.close()


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else call(sys.argv[2:]))
