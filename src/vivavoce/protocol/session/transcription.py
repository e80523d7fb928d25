"""What recognition found, told as transcription events where the client asked for them (O-15 to O-18).

Which words a user's audio holds is always kept in its item: the mind needs them. They are shown only if
``audio.input.transcription`` was set when the audio was committed.
"""

from dataclasses import dataclass
from typing import Any

from vivavoce.protocol.session.commands import RATE
from vivavoce.protocol.session.items import Content
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.usage import audio_tokens_in, text_tokens
from vivavoce.protocol.wire.shape import get

__all__ = ["Heard", "HeardFailed", "Transcriptions"]


EVENT = "conversation.item.input_audio_transcription"
LOGPROBS = "item.input_audio_transcription.logprobs"


@dataclass(frozen=True, slots=True)
class Heard:
    """All the words of an item's audio; empty where none were said."""

    text: str
    logprobs: tuple[tuple[str, float], ...] | None = None
    """Each token with its logarithmic probability, where the model gives them."""


@dataclass(frozen=True, slots=True)
class HeardFailed:
    message: str


class Transcriptions:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def begin(self, item_id: str, words: str) -> None:
        """The first words of an item, which its result begins with (O-15, O-46)."""
        found = self._part(item_id)
        if found and found[0].asked is not None:
            found[0].told = words
            self._shared.out.event(f"{EVENT}.delta", **found[1], delta=words)

    def take(self, item_id: str, result: Heard | HeardFailed) -> None:
        """The result for an item, or nothing if the item is gone."""
        found, out = self._part(item_id), self._shared.out
        if found is None:
            return
        part, where = found
        part.words = result.text if isinstance(result, Heard) else part.words or ""
        if part.asked is None:
            return
        if isinstance(result, HeardFailed):  # no 'param': a null one makes a client drop the event (C-34)
            error = {"type": "transcription_error", "code": "transcription_failed", "message": result.message}
            out.event(f"{EVENT}.failed", **where, error=error)
            return
        sure, told = self._logprobs(result), part.told
        if result.text != told and result.text.startswith(told):  # else "completed" has the last word
            out.event(f"{EVENT}.delta", **where, delta=result.text[len(told) :], **({} if told else sure))
        out.event(f"{EVENT}.completed", **where, transcript=result.text, usage=self._usage(part), **sure)

    def _part(self, item_id: str) -> tuple[Content, dict[str, Any]] | None:
        """The audio of an item, and where it is."""
        conversation = self._shared.conversation
        parts = conversation.get(item_id, "retrieve").content if item_id in conversation else ()
        for index, part in enumerate(parts):
            if part.type == "input_audio":
                return part, {"item_id": item_id, "content_index": index}
        return None

    def _logprobs(self, heard: Heard) -> dict[str, Any]:
        """S-27: only where they were asked for."""
        if heard.logprobs is None or LOGPROBS not in (get(self._shared.config.include, None) or ()):
            return {}
        shown = [{"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in heard.logprobs]
        return {"logprobs": shown}

    def _usage(self, content: Content) -> dict[str, Any]:
        """By duration for whisper and live models, in tokens for the others (U-07, U-08)."""
        if not (content.asked or "").startswith("gpt-4o"):
            return {"type": "duration", "seconds": -(-content.samples // RATE)}
        audio, text = audio_tokens_in(content.samples), text_tokens(content.words or "")
        details = {"text_tokens": 0, "audio_tokens": audio}
        tokens = {"input_tokens": audio, "input_token_details": details, "output_tokens": text}
        return {"type": "tokens", "total_tokens": audio + text, **tokens}
