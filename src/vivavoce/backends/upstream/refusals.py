"""What a person is told when the upstream says no, or says nothing. Its status and body are for the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vivavoce.access.scrub import scrub
from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.patience import Passing

__all__ = ["Key", "late", "refusal", "strange", "unreachable"]

_WORDS = {
    403: "The upstream does not let this key do that: {said}",
    404: "The upstream does not know what was asked for: {said}",
    429: "The upstream takes no more for now, for a rate limit or for want of credit: {said}",
}
_WORDS_FOR_5XX = "The upstream failed with status {status}: {said} Try again in a moment."
_LASTING = {"insufficient_quota", "billing_hard_limit_reached"}
"""Codes of a 429 that no waiting mends."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key for the upstream, and what a person can do when it is refused."""

    value: str = field(repr=False)
    setting: str | None
    """The variable that the server's key is read from; None for a key that the user gave."""

    @property
    def refused(self) -> str:
        if self.setting is None:
            return "The upstream refused the key that you gave for it. Give a valid one."
        return (
            f"The upstream refused this server's key. Set {self.setting} to a valid key where the server is started, "
            "and start it again."
        )


def refusal(
    status: int,
    error: Mapping[str, Any],
    *,
    key: Key,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> BackendError:
    """``error`` is the upstream's error object, empty where it sent none; ``request_id`` is by what the upstream's
    people find the request again. Whatever is the upstream's own failure becomes our 502; a refusal keeps its status,
    so that clients do not try again in vain."""
    if status == 401:  # the upstream's own words show part of the key
        words = key.refused
    else:
        said = _sentence(scrub(str(error.get("message") or f"it answered with status {status}"), key.value))
        words = _WORDS.get(status, _WORDS_FOR_5XX if status >= 500 else "{said}").format(status=status, said=said)
    if request_id:
        words += f" (The upstream's request id: {scrub(request_id, key.value)[:100]}.)"
    body = {"type": "server_error", "code": None, "param": None, **error, "message": words}
    told = {name: body[name] for name in ("type", "code", "message", "param")}
    if status >= 500 or (status == 429 and error.get("code") not in _LASTING):
        return Passing(429 if status == 429 else 502, told, retry_after)
    return BackendError(status if 400 <= status < 500 else 502, told, retry_after)


def unreachable(url: str, why: str, *, unsent: bool = True) -> Passing:
    words = f"The upstream at {url} cannot be reached: {_sentence(why)} Check the network, and --upstream-url."
    body = {"type": "server_error", "code": "upstream_unreachable", "message": words, "param": None}
    return Passing(502, body, unsent=unsent)


def late(url: str, seconds: float) -> BackendError:
    words = f"The upstream at {url} did not answer within {seconds:g} s. Try again in a moment."
    return BackendError.of(504, words, code="upstream_timeout")


def strange(url: str, what: str) -> BackendError:
    words = f"What answers at {url} is no Realtime API: {_sentence(what)} Check --upstream-url."
    return BackendError.of(502, words, code="upstream_invalid_answer")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."
