"""The echo of ``bench/webrtc_parts.py`` on libwebrtc, by the bindings of ``wrtc`` and their aiortc-compatible layer.

wrtc_server.py echo|listen PORT
"""

import asyncio
import sys

from aiohttp import web
from av import AudioFrame, AudioResampler
from webrtc.aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription


class Echo(MediaStreamTrack):
    """What comes in, at 24 kHz mono on the way as every voice agent has it."""

    kind = "audio"

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self._source, self._resampler = source, AudioResampler("s16", "mono", 24_000)
        self._ready: list[AudioFrame] = []

    async def recv(self) -> AudioFrame:
        while not self._ready:
            self._ready = self._resampler.resample(await self._source.recv())
        return self._ready.pop(0)


async def main(echo: bool, port: int) -> None:
    peers: list[RTCPeerConnection] = []
    tasks: set[asyncio.Task[None]] = set()

    async def listen(track: Echo) -> None:
        while True:
            await track.recv()

    async def place(request: web.Request) -> web.Response:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.append(peer)

        @peer.on("track")
        def heard(track: MediaStreamTrack) -> None:
            if echo:
                peer.addTrack(Echo(track))
            else:
                tasks.add(asyncio.create_task(listen(Echo(track))))

        await peer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return web.Response(text=peer.localDescription.sdp, status=201, content_type="application/sdp")

    app = web.Application()
    app.router.add_post("/v1/realtime/calls", place)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] == "echo", int(sys.argv[2])))
