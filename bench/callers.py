"""Callers for ``bench/webrtc.py``: they send speech that was encoded beforehand, and count what they hear."""

import asyncio
import json
import random
import statistics
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from aiohttp import ClientSession, ClientTimeout
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av.packet import Packet

from tests.support.speech import speech
from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import FRAME_BYTES, OpusEncoder
from vivavoce.transports.webrtc.receiver import hear
from vivavoce.transports.webrtc.reports import Reporter, Reports

__all__ = ["Caller", "connect", "conversation", "delay_of", "holes_of"]

TICKS = 960
BEEP_EVERY = 100
"""Packets between two beeps, of which a caller takes the delay."""
BEEPS = 12
LOUD = 3000
HOLES_SECONDS = 22
WINDOW = HOUSE_RATE // 100


@cache
def talk() -> list[bytes]:
    return _encoded(speech("time_in_london", HOUSE_RATE))


@cache
def beeps() -> list[bytes]:
    """A tone of 100 ms every two seconds."""
    tone = 12_000 * np.sin(2 * np.pi * 440 / HOUSE_RATE * np.arange(HOUSE_RATE // 10))
    return _encoded(tone.astype("<i2").tobytes().ljust(BEEP_EVERY * FRAME_BYTES, b"\0"))


@cache
def hum() -> list[bytes]:
    """A tone of a second, without end."""
    return _encoded((8_000 * np.sin(2 * np.pi * 440 / HOUSE_RATE * np.arange(HOUSE_RATE))).astype("<i2").tobytes())


def _encoded(pcm: bytes) -> list[bytes]:
    encoder = OpusEncoder()
    return [encoder.encode(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


class Microphone(MediaStreamTrack):
    """The same packets again and again, in real time, once it has begun. ``sent`` is told the number of each."""

    kind = "audio"

    def __init__(self, packets: list[bytes], sent: Callable[[int], object] = lambda number: None) -> None:
        super().__init__()
        self._packets, self._sent = packets, sent
        self.begun = asyncio.Event()
        self._number = 0
        self._start = 0.0

    async def recv(self) -> "Packet":  # type: ignore[type-arg]
        await self.begun.wait()
        now = asyncio.get_running_loop().time()
        self._start = self._start or now
        await asyncio.sleep(max(0.0, self._start + self._number * 0.02 - now))
        packet = Packet(self._packets[self._number % len(self._packets)])
        packet.pts, packet.time_base = self._number * TICKS, Fraction(1, 48_000)
        self._sent(self._number)
        self._number += 1
        return packet


class Caller:
    def __init__(self, microphone: Microphone, heard: Callable[[bytes], object] = lambda pcm: None) -> None:
        self.heard = 0
        """Samples."""
        self._microphone, self._tell = microphone, heard
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.transceiver = self.peer.addTransceiver(microphone)
        hear(self.transceiver, self._hear, Reporter(Reports(self.transceiver.sender._ssrc, "caller")))
        self._channel = self.peer.createDataChannel("oai-events")
        self._open = asyncio.Event()
        self._channel.on("open", self._open.set)

    async def call(self, port: int, session: list[dict[str, Any]] | None = None) -> None:
        """Begins to speak when the events of ``session`` are sent."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        async with ClientSession(timeout=ClientTimeout(20)) as http:
            url, headers = f"http://127.0.0.1:{port}/v1/realtime/calls", {"Content-Type": "application/sdp"}
            async with http.post(url, data=self.peer.localDescription.sdp, headers=headers) as response:
                answer = await response.text()
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asyncio.wait_for(self._open.wait(), 10)
        for event in session or ():
            self._channel.send(json.dumps(event))
        self._microphone.begun.set()

    def _hear(self, pcm: bytes) -> None:
        self.heard += len(pcm) // 2
        self._tell(pcm)


def conversation(*, speaks: bool) -> list[dict[str, Any]]:
    """A session in which nobody's turn ends: what is measured is two who speak, or one."""
    turns = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    session = {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}
    answer: list[dict[str, Any]] = [{"type": "response.create"}] if speaks else []
    return [{"type": "session.update", "session": session}, *answer]


@asynccontextmanager
async def connect(port: int, session: list[dict[str, Any]] | None = None) -> AsyncIterator[Caller]:
    caller = Caller(Microphone(talk()))
    try:
        await caller.call(port, session)
        yield caller
    finally:
        await caller.peer.close()


async def delay_of(port: int, loss: float, chance: random.Random) -> float:
    """Seconds from a sound's first packet to its echo, in the median."""
    loop = asyncio.get_running_loop()
    begun, delays, enough = 0.0, list[float](), asyncio.Event()

    def sent(number: int) -> None:
        nonlocal begun
        if number % BEEP_EVERY == 0:
            begun = loop.time()

    def heard(pcm: bytes) -> None:
        nonlocal begun
        if begun and np.abs(np.frombuffer(pcm, "<i2")).max(initial=0) > LOUD:
            delays.append(loop.time() - begun)
            begun = 0.0
            if len(delays) == BEEPS:
                enough.set()

    caller = Caller(Microphone(beeps(), sent), heard)
    try:
        await caller.call(port)
        _lose(caller, loss, chance)
        await asyncio.wait_for(enough.wait(), BEEPS * 4)
    finally:
        await caller.peer.close()
    return statistics.median(delays[2:])


async def holes_of(port: int, loss: float, chance: random.Random) -> float:
    """The share of a steady tone's echo that is quieter than half of it, where packets to the server are lost."""
    echo = bytearray()
    caller = Caller(Microphone(hum()), echo.extend)
    try:
        await caller.call(port)
        _lose(caller, loss, chance, back=False)
        await asyncio.sleep(HOLES_SECONDS)
    finally:
        await caller.peer.close()
    steady = np.frombuffer(bytes(echo), "<i2").astype(float)[2 * HOUSE_RATE :]
    levels = np.std(steady[: len(steady) // WINDOW * WINDOW].reshape(-1, WINDOW), axis=1)
    return float(np.mean(levels < np.median(levels) / 2))


def _lose(caller: Caller, loss: float, chance: random.Random, *, back: bool = True) -> None:
    """Packets of sound, on the way there and on the way back."""
    transport = caller.transceiver.sender.transport
    connection = transport.transport._connection
    send, take = transport._send_rtp, connection.data_received

    async def lossy_send(data: bytes) -> None:
        if _is_rtcp(data) or chance.random() >= loss:
            await send(data)

    def lossy_take(data: bytes, component: int) -> None:
        if not 128 <= data[0] < 192 or _is_rtcp(data) or chance.random() >= loss:
            take(data, component)

    transport._send_rtp = lossy_send  # type: ignore[method-assign]
    if back:
        connection.data_received = lossy_take  # type: ignore[method-assign]


def _is_rtcp(data: bytes) -> bool:
    return 192 <= data[1] <= 223
