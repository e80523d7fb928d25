"""A caller on the other end of a call: aiortc as a browser would use it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from vivavoce.protocol.dialects.ga import Ga
from vivavoce.transports.webrtc.call import Call, answer
from vivavoce.transports.webrtc.ice import configuration, prepare


class Microphone(MediaStreamTrack):
    """A tone of 440 Hz in real time, 48 kHz mono."""

    kind = "audio"
    tick = 0

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        if not self.tick:
            self.start = loop.time()
        await asyncio.sleep(self.start + self.tick / 48_000 - loop.time())
        wave = 8000 * np.sin(2 * np.pi * 440 / 48_000 * (np.arange(960) + self.tick))
        frame = AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self.tick, Fraction(1, 48_000)
        self.tick += 960
        return frame


class Caller:
    def __init__(
        self,
        microphone: MediaStreamTrack | None = None,
        direction: str = "sendrecv",
        servers: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.peer = RTCPeerConnection(configuration(servers))
        self.transceiver = self.peer.addTransceiver(microphone or Microphone(), direction)
        self.channel = self.peer.createDataChannel("oai-events")
        self.open, self.closed = asyncio.Event(), asyncio.Event()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: list[tuple[int, float]] = []  # (48 kHz timestamp, loudness) of 20 ms frames
        self.sounded = asyncio.Event()  # something loud was heard
        self.packets: list[tuple[float, int]] = []  # (loop time, RTP timestamp) as they arrive
        self.channel.on("open", self.open.set)
        self.channel.on("close", self.closed.set)
        self.channel.on("message", lambda text: self.events.put_nowait(json.loads(text)))
        self.peer.on("track", self._listen)
        self.tasks: list[asyncio.Task[None]] = []

    async def offer(self, *, candidates: bool = False) -> str:
        """Without candidates, as the official JavaScript client posts it (H-21)."""
        prepare(self.peer)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        if candidates:
            return self.peer.localDescription.sdp
        text = self.peer.localDescription.sdp.splitlines(keepends=True)
        return "".join(line for line in text if not line.startswith(("a=candidate", "a=end-of-candidates")))

    async def accept(self, sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self._watch(self.transceiver.receiver)
        async with asyncio.timeout(10):
            await self.open.wait()

    def say(self, **event: Any) -> None:
        self.channel.send(json.dumps(event))

    async def event(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.events.get(), 5)

    async def close(self) -> None:
        await self.peer.close()
        for task in self.tasks:  # a track that never had a packet does not end by itself
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _watch(self, receiver: RTCRtpReceiver) -> None:
        handle = receiver._handle_rtp_packet

        async def watched(packet: Any, arrival_time_ms: int) -> None:
            self.packets.append((asyncio.get_running_loop().time(), packet.timestamp))
            await handle(packet, arrival_time_ms)

        receiver._handle_rtp_packet = watched  # type: ignore[method-assign]

    def _listen(self, track: MediaStreamTrack) -> None:
        async def hear() -> None:
            try:
                while True:
                    frame = await track.recv()
                    assert isinstance(frame, AudioFrame)
                    loudness = float(np.sqrt(np.mean(frame.to_ndarray().astype(float) ** 2)))
                    self.heard.append((frame.pts or 0, loudness))
                    if loudness > 2000:
                        self.sounded.set()
            except MediaStreamError:
                pass

        self.tasks.append(asyncio.create_task(hear()))


@asynccontextmanager
async def calling(caller: Caller | None = None, **options: Any) -> AsyncIterator[tuple[Call, Caller]]:
    """A connected call, and its caller."""
    caller = caller or Caller()
    numbers = itertools.count(1)
    call, sdp = await answer(await caller.offer(), Ga(), new_id=lambda: f"event_{next(numbers)}", **options)
    try:
        await caller.accept(sdp)
        yield call, caller
    finally:
        await caller.close()
        await call.close()
