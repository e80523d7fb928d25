"""LiveKit's AgentSession behind a WebSocket: voice activity here, recognition, mind and voice over HTTP. Has its own
environment.

    python livekit_server.py PORT MODELS_URL SILENCE_SECONDS

It is allowed all that it can do ahead of the end of a turn: mind and voice begin as soon as words are there.
"""

import asyncio
import logging
import sys

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from livekit.plugins import openai, silero
from websockets.asyncio.server import serve

PORT, MODELS, SILENCE = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
HTTP = {"api_key": "none", "base_url": MODELS}
RATE = 16_000
ONSET = 0.064
"""Seconds of a voice that interrupt, as in Vivavoce; 0.5 as it is shipped."""


class Microphone(AudioInput):
    def __init__(self, socket):
        super().__init__(label="socket")
        self._socket = socket

    async def __anext__(self):
        try:
            data = await self._socket.recv()
        except Exception:
            raise StopAsyncIteration from None
        return rtc.AudioFrame(data, RATE, 1, len(data) // 2)


class Speaker(AudioOutput):
    """Sends at once and counts the time that it would take to play."""

    def __init__(self, socket):
        super().__init__(label="socket", capabilities=AudioOutputCapabilities(pause=False), sample_rate=24_000)
        self._socket, self._seconds, self._playing = socket, 0.0, None

    async def capture_frame(self, frame):
        await super().capture_frame(frame)
        self._seconds += frame.duration
        await self._socket.send(bytes(frame.data))

    def flush(self):
        super().flush()
        if self._seconds:
            self._playing = asyncio.get_running_loop().call_later(self._seconds, self._played, False)

    def clear_buffer(self):
        if self._playing:
            self._playing.cancel()
        if self._seconds:
            self._telling = asyncio.ensure_future(self._socket.send("cut"))
            self._played(True)

    def _played(self, interrupted):
        self._playing, seconds, self._seconds = None, self._seconds, 0.0
        self.on_playback_finished(playback_position=seconds, interrupted=interrupted)


async def talk(socket):
    session = AgentSession(
        vad=LISTENS,
        stt=openai.STT(**HTTP, model="stub"),
        llm=openai.LLM(**HTTP, model="stub"),
        tts=openai.TTS(**HTTP, model="tts-1", response_format="pcm"),
        turn_handling={
            "turn_detection": "vad",
            "endpointing": {"min_delay": SILENCE},
            "interruption": {"mode": "vad", "min_duration": ONSET},
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
    )
    session.input.audio = Microphone(socket)
    session.output.audio = Speaker(socket)
    await session.start(Agent(instructions="Be brief."))
    await socket.wait_closed()
    await session.aclose()


async def main():
    async with serve(talk, "127.0.0.1", PORT, compression=None, max_size=None):
        await asyncio.get_running_loop().create_future()


logging.disable(logging.WARNING)
LISTENS = silero.VAD.load(min_silence_duration=min(0.2, SILENCE))  # the wait itself is endpointing's
asyncio.run(main())
