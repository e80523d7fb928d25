"""What is said in these tests. A question is spoken as a tone of its own pitch, so that recognition is exact whatever
carried it, Opus included."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

import numpy as np

from tests.support.fake_models import Script, says, tone
from vivavoce.models.interfaces import Answer, Call, CallArguments, Finish, Hints, Message, Prompt, Transcript

__all__ = ["HELLO", "PITCHES", "STOP", "STORY", "WEATHER", "PitchStt", "WordsLlm", "spoken"]

HELLO, WEATHER, STORY, STOP = "Say hello.", "What is the weather in Paris?", "Tell me a long story.", "Stop, please."
PITCHES = {HELLO: 300, WEATHER: 500, STORY: 700, STOP: 900}
"""Hertz."""

SPEECH_MS, SILENCE_MS = 600, 700


def spoken(question: str) -> bytes:
    """24 kHz PCM: the question, and the silence that ends the turn."""
    return tone(SPEECH_MS, hertz=PITCHES[question]) + bytes(2 * 24 * SILENCE_MS)


class PitchStt:
    rate = 16_000
    name = "pitch"

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        samples = np.frombuffer(pcm, "<i2").astype(float)
        pitch = float(np.abs(np.fft.rfft(samples)).argmax()) * self.rate / max(len(samples), 1)
        return Transcript(min(PITCHES, key=lambda question: abs(PITCHES[question] - pitch)))

    async def close(self) -> None:
        pass


class WordsLlm:
    """Answers by the words of the last message; the story takes three seconds to tell."""

    name = "words"
    sees = False

    async def answer(self, prompt: Prompt) -> AsyncIterator[Answer]:
        for part in _script(prompt.messages[-1], [tool.name for tool in prompt.tools]):
            if isinstance(part, int | float):
                await asyncio.sleep(part)
            elif isinstance(part, Exception):
                raise part
            else:
                yield part
        yield Finish()

    async def close(self) -> None:
        pass


def _script(last: Message, tools: Iterable[str]) -> Script:
    if last.role == "result":
        return says(f"The weather in Paris: {_plain(last.text)}.")
    if last.text == WEATHER and "weather" in tools:
        return [Call("weather"), CallArguments('{"city":'), CallArguments('"Paris"}')]
    if last.text == STORY:
        return says("Once upon a time there was a king, and he had many daughters. " * 5, pause=0.05)
    return says({HELLO: "Hello to you.", STOP: "All right."}.get(last.text, f"You said: {last.text}"))


def _plain(output: str) -> str:
    """Some clients send a tool's result as it is, some as JSON."""
    try:
        return str(json.loads(output))
    except ValueError:
        return output
