"""Whisper hears a turn while it is spoken: by decoding the same sound again and again, as it grows.

Words that two decodes agree on are steady (``agreement.py``); the model is told them, so that it only looks for what
follows. Sound whose words are steady goes once there is much of it, at the end of a sentence where there is one:
the model sees thirty seconds. When nobody waits for it is ``queue.py``'s to say.
"""

import asyncio

from vivavoce.models.interfaces import HearingLost, Hints, Logprob, ModelError, Transcript
from vivavoce.models.stt.whisper.agreement import Agreement
from vivavoce.models.stt.whisper.batch import LONGEST, Heard, Window
from vivavoce.models.stt.whisper.queue import WhisperQueue
from vivavoce.models.stt.whisper.spans import KEPT, RATE, loud_until

__all__ = ["WhisperHearing"]

STEP = 2 * RATE
"""Bytes of new sound that are worth another decode: a second."""
MUCH, TOO_MUCH = 2 * RATE * 15, 2 * RATE * 22
"""Bytes that are kept: beyond the first, steady sentences are let go, beyond the second, steady words."""
SENTENCE_ENDS = tuple(".?!。？！")


class WhisperHearing:
    """Implements ``Hearing``. ``language``: that of sessions which name none."""

    def __init__(self, queue: WhisperQueue, hints: Hints, language: str | None) -> None:
        self._queue, self._prompt, self._language = queue, hints.prompt or "", hints.language or language
        self._agreement = Agreement()
        self._gone, self._gone_logprobs = "", tuple[Logprob, ...]()
        self._pcm = bytearray()
        self._loud_until = self._new = 0
        self._ahead: asyncio.Future[Heard] | None = None

    @property
    def steady(self) -> str:
        return (self._gone + self._agreement.steady).lstrip()

    async def feed(self, pcm: bytes) -> None:
        if loud := loud_until(pcm):
            self._loud_until = len(self._pcm) + loud
        self._pcm += pcm
        self._new += len(pcm)
        self._learn()
        if len(self._pcm) > LONGEST:
            raise HearingLost("Whisper found no word in half a minute of sound that it was sure of")
        worthwhile = self._new >= STEP and self._loud_until > 0
        if worthwhile and self._ahead is None and self._queue.looks_ahead:
            self._new = 0
            try:
                self._ahead = self._queue.ask(self._window(timed=len(self._pcm) > MUCH), urgent=False)
            except ModelError as error:  # there is no room
                raise HearingLost(str(error)) from error

    async def words(self) -> Transcript:
        self._learn()
        self.close()  # a look ahead tells nothing that this does not
        if self._loud_until <= 0:
            return Transcript(self.steady)
        heard = await self._queue.heard(self._window())
        text = self._gone + self._agreement.steady + "".join(heard.words)
        self._agreement.hear(heard.words)
        return Transcript(text.strip(), (*self._gone_logprobs, *heard.logprobs))

    def close(self) -> None:
        """Nobody wants the look ahead any more."""
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None

    def _window(self, *, timed: bool = False) -> Window:
        pcm = bytes(self._pcm[: max(0, self._loud_until + KEPT)])
        return Window(pcm, self._language, self._prompt, self._agreement.steady, timed)

    def _learn(self) -> None:
        """From the look ahead, once it is there."""
        ahead = self._ahead
        if ahead is None or not ahead.done():
            return
        self._ahead = None
        if ahead.cancelled() or ahead.exception():
            return  # :meth:`words` will say why
        heard = ahead.result()
        self._agreement.hear(heard.words)
        if self._agreement.steady:
            self._language = self._language or heard.language
        self._let_go(heard)

    def _let_go(self, heard: Heard) -> None:
        """Of sound whose words are steady."""
        text, tokens, cut = "", 0, None
        for word in heard.timed:
            text, tokens = text + word.text, tokens + word.tokens
            if not self._agreement.steady.startswith(text):
                break
            if text.endswith(SENTENCE_ENDS) or len(self._pcm) > TOO_MUCH:
                cut = text, tokens, word.end
        if cut is not None:
            text, tokens, end = cut
            self._agreement.forget(text)
            self._gone += text
            self._gone_logprobs += heard.logprobs[:tokens]
            gone = 2 * int(end * RATE)
            del self._pcm[:gone]
            self._loud_until -= gone
