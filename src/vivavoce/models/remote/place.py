"""Where a remote model is, what it is called there, and how long it is waited for: every number, in one place."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from vivavoce.models.interfaces import ModelError

__all__ = ["OPENAI", "OPENAI_MODELS", "Patience", "Remote", "RemoteSense"]

RemoteSense = Literal["stt", "llm", "tts"]

OPENAI = "https://api.openai.com/v1"

_WHAT = {"stt": "Speech recognition", "llm": "The model", "tts": "The voice"}
OPENAI_MODELS: Mapping[str, str] = {
    "stt": "gpt-4o-mini-transcribe",
    "llm": "gpt-4.1-mini",
    "tts": "gpt-4o-mini-tts",
}
"""Its quick ones, for who has chosen none."""


@dataclass(frozen=True, slots=True)
class Remote:
    """``url`` is the API's base, without a slash at its end: ``http://127.0.0.1:11434/v1``."""

    sense: RemoteSense
    url: str
    model: str
    key: str = field(default="", repr=False)
    key_name: str = ""
    """The variable that the key is read from."""

    @classmethod
    def of(cls, sense: RemoteSense, *, url: str = "", model: str = "", key: str = "", key_env: str = "") -> "Remote":
        """With OpenAI in the place of what was left open. Raises :class:`ModelError` for a server without a model."""
        url = (url or OPENAI).rstrip("/")
        found = cls(sense, url, model or OPENAI_MODELS[sense], key, key_env)
        if not model and not found.is_openai:
            raise ModelError(f"Which model is to be asked for at {url}? Name one with --{sense}-model.")
        return found

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def is_openai(self) -> bool:
        """OpenAI itself, which knows parameters that look-alikes refuse, and the other way round."""
        return self.host == "api.openai.com"

    @property
    def what(self) -> str:
        """For people: what is wrong there, and where."""
        return f"{_WHAT[self.sense]} at {self.url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """In seconds."""

    connect: float = 5.0
    """Until a connection stands."""
    first: float = 60.0
    """Until the first byte of an answer: a server that loads its model at the first question takes half a minute."""
    between: float = 30.0
    """Between two pieces of an answer."""
    pause: float = 0.25
    """Before the one further attempt."""
    longest_pause: float = 2.0
    """Who asks for more than this (Retry-After) is not asked again: somebody is waiting for the answer."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
