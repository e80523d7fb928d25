"""The servers of ``bench/webrtc.py`` that do nothing but carry calls, each a process of its own.

    python -m bench.webrtc_parts aiortc|call|listen-aiortc|listen-call PORT

They answer offers at ``/v1/realtime/calls`` as Vivavoce does. ``aiortc`` is aiortc as its examples use it: a track in
and a track out, decoded, made 24 kHz mono, and encoded again. ``call`` is Vivavoce's call with as little behind it.
Those that listen say nothing.
"""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable

import uvloop
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame, AudioResampler

from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame
from vivavoce.transports.webrtc.call import Call, answer

Answer = Callable[[str], Awaitable[str]]


class Echo(MediaStreamTrack):
    """What comes in, at 24 kHz mono on the way as every voice agent has it."""

    kind = "audio"

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self._source, self._resampler = source, AudioResampler("s16", "mono", 24_000)
        self._ready: list[AudioFrame] = []

    async def recv(self) -> AudioFrame:
        while not self._ready:
            heard = await self._source.recv()
            assert isinstance(heard, AudioFrame)
            self._ready = self._resampler.resample(heard)
        return self._ready.pop(0)


class Bare:
    """aiortc and nothing of ours."""

    def __init__(self, echo: bool) -> None:
        self._echo = echo
        self._peers: list[RTCPeerConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, offer: str) -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(peer)

        @peer.on("track")
        def heard(track: MediaStreamTrack) -> None:
            if self._echo:
                peer.addTrack(Echo(track))
            else:
                self._tasks.add(asyncio.create_task(self._listen(Echo(track))))

        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return peer.localDescription.sdp

    async def _listen(self, track: Echo) -> None:
        while True:
            await track.recv()


class Ours:
    """Vivavoce's call, and a loop in the place of a session."""

    def __init__(self, echo: bool) -> None:
        self._echo = echo
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count()

    async def answer(self, offer: str) -> str:
        call, sdp = await answer(offer, Ga(), new_id=lambda: f"event_{next(self._numbers)}")
        self._tasks.add(asyncio.create_task(self._carry(call)))
        return sdp

    async def _carry(self, call: Call) -> None:
        try:
            while True:
                frame = await call.receive()
                if self._echo and frame.type == APPEND:
                    await call.send(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": "item_1"}, frame.audio))
        except Closed:
            await call.close()


def application(answer: Answer) -> web.Application:
    async def place(request: web.Request) -> web.Response:
        return web.Response(text=await answer(await request.text()), status=201, content_type="application/sdp")

    app = web.Application()
    app.router.add_post("/v1/realtime/calls", place)
    return app


async def main(kind: str, port: int) -> None:
    made = (Bare if kind.endswith("aiortc") else Ours)(not kind.startswith("listen"))
    runner = web.AppRunner(application(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
