"""What a person is told when the upstream says no, or says nothing. Its status and body are for the log."""

from collections.abc import Mapping
from typing import Any

from vivavoce.access.scrub import scrub
from vivavoce.backends.interface import BackendError

__all__ = ["late", "refusal", "strange", "unreachable"]

_WORDS = {
    403: "The upstream does not let this server's key do that: {said}",
    404: "The upstream does not know what was asked for: {said}",
    429: "The upstream takes no more for now, for a rate limit or for want of credit: {said}",
}
_WORDS_FOR_5XX = "The upstream failed with status {status}: {said} Try again in a moment."


def refusal(status: int, error: Mapping[str, Any], *, key: str, key_name: str) -> BackendError:
    """``error`` is the upstream's error object, empty where it sent none. Whatever is the upstream's own failure
    becomes our 502; a refusal keeps its status, so that clients do not try again in vain."""
    if status == 401:  # the upstream's own words show part of the key
        words = (
            f"The upstream refused this server's key. Set {key_name} to a valid key where the server is started, "
            "and start it again."
        )
    else:
        said = _sentence(scrub(str(error.get("message") or f"it answered with status {status}"), key))
        words = _WORDS.get(status, _WORDS_FOR_5XX if status >= 500 else "{said}").format(status=status, said=said)
    body = {"type": "server_error", "code": None, "param": None, **error, "message": words}
    return BackendError(status if 400 <= status < 500 else 502, {name: body[name] for name in _FIELDS})


def unreachable(url: str, why: str) -> BackendError:
    words = f"The upstream at {url} cannot be reached: {_sentence(why)} Check the network, and --upstream-url."
    return BackendError.of(502, words, code="upstream_unreachable")


def late(url: str, seconds: float) -> BackendError:
    words = f"The upstream at {url} did not answer within {seconds:g} s. Try again in a moment."
    return BackendError.of(504, words, code="upstream_timeout")


def strange(url: str, what: str) -> BackendError:
    words = f"What answers at {url} is no Realtime API: {_sentence(what)} Check --upstream-url."
    return BackendError.of(502, words, code="upstream_invalid_answer")


_FIELDS = ("type", "code", "message", "param")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."
