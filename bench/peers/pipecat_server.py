"""Pipecat behind a WebSocket: voice activity here, recognition, mind and voice over HTTP. Has its own environment.

    python pipecat_server.py PORT MODELS_URL SILENCE_SECONDS

Its turn ends when the silence is over and the words are there; recognition begins after 200 ms of it.
"""

import asyncio
import sys

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import InputAudioRawFrame, InterruptionFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

PORT, MODELS, SILENCE = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
PAUSE = 0.2
ONSET = 0.064
"""Seconds of a voice that interrupt, as in Vivavoce; 0.2 as it is shipped."""
HTTP = {"api_key": "none", "base_url": MODELS}
app = FastAPI()


class Pcm(FrameSerializer):
    """Sound as it is, both ways; a word when an answer was cut."""

    async def serialize(self, frame):
        if isinstance(frame, OutputAudioRawFrame):
            return frame.audio
        return "cut" if isinstance(frame, InterruptionFrame) else None

    async def deserialize(self, data):
        return InputAudioRawFrame(audio=data, sample_rate=16_000, num_channels=1)


@app.websocket("/")
async def talk(socket: WebSocket):
    await socket.accept()
    params = FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=Pcm())
    transport = FastAPIWebsocketTransport(socket, params)
    ends = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=SILENCE - PAUSE)])
    listens = SileroVADAnalyzer(params=VADParams(start_secs=ONSET, stop_secs=PAUSE))
    context = LLMContextAggregatorPair(
        LLMContext([{"role": "system", "content": "Be brief."}]),
        user_params=LLMUserAggregatorParams(user_turn_strategies=ends, vad_analyzer=listens),
    )
    stages = [
        transport.input(),
        OpenAISTTService(**HTTP, ttfs_p99_latency=PAUSE),
        context.user(),
        OpenAILLMService(**HTTP, settings=OpenAILLMService.Settings(model="stub")),
        OpenAITTSService(**HTTP, settings=OpenAITTSService.Settings(model="stub", voice="alloy")),
        transport.output(),
        context.assistant(),
    ]
    rates = PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=24_000)
    task = PipelineTask(Pipeline(stages), params=rates)

    @transport.event_handler("on_client_disconnected")
    async def left(_transport, _client):
        await task.cancel()

    await PipelineRunner(handle_sigint=False).run(task)


logger.remove()
asyncio.run(uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="warning")).serve())
