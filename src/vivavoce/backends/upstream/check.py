"""What ``vivavoce doctor`` asks of an upstream: is it there, is the key good, has it the model, is it the same time.

Nothing that it asks costs anything: a client secret is minted and never used.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.api import Answer, Api
from vivavoce.backends.upstream.patience import Patience
from vivavoce.backends.upstream.place import Flavour, Place
from vivavoce.backends.upstream.refusals import Key

__all__ = ["MAX_SKEW", "Finding", "check_upstream"]

MAX_SKEW = 30.0
"""Seconds that two clocks may differ: an ephemeral key lives 60 at times."""

Matter = Literal["reachable", "key", "model", "clock"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``good`` is None where it could not be told. ``words`` say what was found, and what
    to do where it is not good; they hold no secret."""

    matter: Matter
    good: bool | None
    words: str


async def check_upstream(
    url: str,
    key: str,
    *,
    key_name: str,
    models: Sequence[str],
    now: Callable[[], float],
    flavour: Flavour = "auto",
    patience: Patience | None = None,
) -> list[Finding]:
    """``models`` are those that sessions ask for; ``now`` gives unix seconds. Takes as long as ``patience`` allows for
    two answers, and raises nothing."""
    api = Api(Place.of(url, flavour), patience or Patience())
    try:
        return await _check(api, Key(key, key_name), models, now)
    finally:
        await api.close()


async def _check(api: Api, key: Key, models: Sequence[str], now: Callable[[], float]) -> list[Finding]:
    shown = api.place.shown(key.value)
    session = {"type": "realtime", "model": models[0]} if models else {"type": "realtime"}
    try:
        minted = await api.ask("POST", "/realtime/client_secrets", key, shown, json={"session": session})
    except BackendError as error:
        return _refused(api.place, error)
    there = Finding("reachable", True, f"{api.place.url} answers.")
    taken = Finding("key", True, f"The key in {key.setting} is accepted." if key.value else "It asks for no key.")
    return [there, taken, *await _models(api, key, models), _clock(minted, now())]


def _refused(place: Place, error: BackendError) -> list[Finding]:
    code, said = error.body.get("code"), str(error)
    if code in ("upstream_unreachable", "upstream_timeout"):
        return [Finding("reachable", False, said)]
    there = Finding("reachable", True, f"{place.url} answers.")
    if error.status in (401, 403):
        return [there, Finding("key", False, said)]
    if error.status == 404:
        words = f"{place.url} has no Realtime API: it knows no /realtime/client_secrets. Check --upstream-url."
        return [Finding("reachable", False, words)]
    return [there, Finding("key", None, f"Whether the key is good cannot be told: {said}")]


async def _models(api: Api, key: Key, models: Sequence[str]) -> list[Finding]:
    if api.place.azure:
        words = "On Azure a model is the name of a deployment, and those cannot be listed with a key."
        return [Finding("model", None, words)]
    try:
        listed = await api.ask("GET", "/models", key, api.place.shown(key.value))
        known = {str(model["id"]) for model in json.loads(listed.text)["data"]}
    except BackendError as error:
        return [Finding("model", None, f"It does not say which models it has: {error}")]
    except (ValueError, KeyError, TypeError):
        return [Finding("model", None, "It does not say which models it has.")]
    return [_model(model, known) for model in models]


def _model(model: str, known: set[str]) -> Finding:
    if model in known:
        return Finding("model", True, f"It has {model}.")
    like = sorted(name for name in known if "realtime" in name)
    has = f"It has {', '.join(like[:8])}." if like else "It names none that sounds like a realtime model."
    return Finding("model", False, f"This key may use no model {model!r}. {has} Choose one with --model.")


def _clock(answer: Answer, now: float) -> Finding:
    try:
        ahead = now - parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return Finding("clock", None, "It does not say what time it is there.")
    if abs(ahead) <= MAX_SKEW:
        return Finding("clock", True, "This machine's clock agrees with the upstream's.")
    which = "ahead of" if ahead > 0 else "behind"
    words = (
        f"This machine's clock is {abs(ahead):.0f} s {which} the upstream's, so keys with an expiry will be refused or "
        "live too long. Set it by NTP, for instance with: timedatectl set-ntp true"
    )
    return Finding("clock", False, words)
