"""What a person is told when a remote model says no, or says nothing. No key is in it."""

import json
from typing import Any

from vivavoce.access.scrub import scrub
from vivavoce.models.interfaces import ModelError
from vivavoce.models.remote.place import Remote

__all__ = ["Refusal", "cut", "late", "refusal", "strange", "unreachable"]

MAX_SAID = 300
"""Characters of a server's own words."""
_LASTING = {"insufficient_quota", "billing_hard_limit_reached"}
"""Codes of a 429 that no waiting mends."""


class Refusal(ModelError):
    """It answered with a status that is no success. ``said`` are its own words; ``passing``: it may answer in a moment,
    in ``retry_after`` seconds where it said so."""

    def __init__(self, message: str, status: int, said: str, *, passing: bool, retry_after: float | None) -> None:
        super().__init__(message)
        self.status, self.said, self.passing, self.retry_after = status, said, passing, retry_after


def refusal(remote: Remote, status: int, body: bytes, retry_after: str | None = None) -> Refusal:
    said, code = _said(body)
    said = scrub(said, remote.key)[:MAX_SAID]
    passing = status >= 500 or status in (408, 409) or (status == 429 and code not in _LASTING)
    words = f"{remote.what} {_words(remote, status, said)}"
    return Refusal(words, status, said, passing=passing, retry_after=_seconds(retry_after))


def unreachable(remote: Remote, why: str) -> ModelError:
    return ModelError(f"{remote.what} cannot be reached: {_sentence(why)} Is it running? See --{remote.sense}-url.")


def late(remote: Remote, seconds: float) -> ModelError:
    return ModelError(f"{remote.what} said nothing for {seconds:g} s. Try again in a moment.")


def cut(remote: Remote) -> ModelError:
    return ModelError(f"{remote.what} broke off in the middle of its answer. Try again.")


def strange(remote: Remote, what: str) -> ModelError:
    words = f"What answers at {remote.url} is no OpenAI-compatible API: {_sentence(scrub(what, remote.key)[:MAX_SAID])}"
    return ModelError(f"{words} Check --{remote.sense}-url.")


def _words(remote: Remote, status: int, said: str) -> str:
    """Never what it said of a key: that shows part of it."""
    flags = f"--{remote.sense}-url and --{remote.sense}-model"
    match status:
        case 401 if remote.key:
            return f"refused the key in {remote.key_name}. Set it to a valid one and start the server again."
        case 401:
            return f"wants a key: put it into a variable and name that with --{remote.sense}-key-env."
        case 403:
            return f"does not let this key do that: {_sentence(said)}"
        case 404 | 405:
            return f"does not know what was asked for ({remote.model!r}): {_sentence(said)} Check {flags}."
        case 429:
            return f"takes no more for now, for a rate limit or for want of credit: {_sentence(said)}"
        case _ if status >= 500:
            return f"failed with status {status}: {_sentence(said)} Try again in a moment."
    return f"refused the request with status {status}: {_sentence(said)}"


def _said(body: bytes) -> tuple[str, str]:
    """Its words and its code, in the shapes that servers of this API have: OpenAI's, FastAPI's, plain text."""
    try:
        told: Any = json.loads(body)
    except ValueError:
        return body.decode(errors="replace").strip().partition("\n")[0], ""
    error = told.get("error", told) if isinstance(told, dict) else told
    if not isinstance(error, dict):
        return str(error), ""
    words = error.get("message") or error.get("detail") or error.get("error") or ""
    return str(words), str(error.get("code") or "")


def _sentence(text: str) -> str:
    text = text.strip() or "it did not say why"
    return text if text.endswith((".", "!", "?")) else text + "."


def _seconds(retry_after: str | None) -> float | None:
    """One that gives a date is not understood, and none."""
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
