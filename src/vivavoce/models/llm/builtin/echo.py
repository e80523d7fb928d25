"""Saying what it is told to say: "say hello to everyone", "repeat after me …", "say that again"."""

import re
from collections.abc import Sequence

from vivavoce.models.interfaces import Message
from vivavoce.models.llm.builtin.words import Words

__all__ = ["again", "echo", "exactly"]

_POLITE = r"(?:please|now|okay|ok|hey|and|can you|could you|would you|will you|just|\s|,)*"
_SAY = re.compile(rf"(?is){_POLITE}\b(?:say|echo|repeat(?: after me)?|repeat the words?)\b[\s:,]*(?P<what>.+)")
_AGAIN = re.compile(rf"(?i){_POLITE}\b(?:say|repeat) (?:that|it)(?: again| once more)?(?:,? please)?\W*")
_EXACTLY = re.compile(
    r"(?i)\b(?:respond|reply|answer|say|speak)\b[^.\n\"“'‘]{0,40}?\b(?:exactly|only|just)\b[^.\n\"“'‘:]{0,40}?"
    r"(?:\"(?P<a>[^\"]+)\"|“(?P<b>[^”]+)”|(?<!\w)'(?P<c>.+?)'(?!\w)|‘(?P<d>[^’]+)’|:\s*(?P<e>[^\n]+))"
)


def echo(words: Words) -> str | None:
    """The words that it is asked to say."""
    said = _SAY.fullmatch(words.text.strip())
    what = said["what"].strip().strip("\"“”'") if said else ""
    return _sentence(what) if what else None


def again(words: Words, messages: Sequence[Message]) -> str | None:
    """The last answer once more, where that is what was asked for."""
    if not _AGAIN.fullmatch(words.text.strip()):
        return None
    answers = [message.text for message in messages if message.role == "assistant" and message.text]
    return answers[-1] if answers else "I have not said anything yet."


def exactly(instructions: str) -> str | None:
    """What the instructions want said word for word: ``Respond with exactly 'pong'``."""
    found = _EXACTLY.search(instructions)
    return next((text.strip() for text in found.groups() if text), None) if found else None


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")
