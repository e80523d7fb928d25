"""Who answers: the models of this process do one thing each, or the upstream takes the key; and the agents."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from vivavoce.access.prices import Prices
from vivavoce.audio.resample import convert
from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.api import Answer, Api
from vivavoce.backends.upstream.patience import Patience
from vivavoce.backends.upstream.place import Place
from vivavoce.backends.upstream.refusals import Key
from vivavoce.cli.checks.finding import Finding, bad, fine, warn
from vivavoce.cli.settings import Settings
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.models.catalog import Models
from vivavoce.models.interfaces import Hints, Message, ModelError, Prompt, Said

__all__ = ["MOST_SKEW", "agents", "models", "upstream"]

MOST_SKEW = 30.0
"""Seconds that the clocks may be apart; ephemeral keys live a minute."""
PATIENCE = Patience(connect=5.0, answer=10.0)


async def models(senses: Models) -> AsyncIterator[Finding]:
    """Each is loaded and used: the voice speaks, and recognition is given what it said. They are closed afterwards."""
    sound = bytearray()
    try:
        yield await _tried("hearing", lambda: _hears(senses))
        yield await _tried("voice", lambda: _speaks(senses, sound))
        yield await _tried("words", lambda: _recognises(senses, bytes(sound)))
        yield await _tried("mind", lambda: _thinks(senses))
    finally:
        await senses.close()


async def upstream(settings: Settings) -> AsyncIterator[Finding]:
    """An ephemeral key is minted, which opens nothing and costs nothing."""
    place = Place.of(settings.upstream_url, settings.upstream_kind)
    key = Key(settings.upstream_key, settings.upstream_key_env)
    api = Api(place, PATIENCE)
    session = {"type": "realtime", "model": settings.model}
    body = {"session": session, "expires_after": {"anchor": "created_at", "seconds": 10}}
    try:
        answer = await api.ask("POST", "/realtime/client_secrets", key, place.shown(key.value), json=body)
        yield fine("upstream", f"{place.url} takes the key in {settings.upstream_key_env}.")
        yield _clock(answer)
        yield await _model(api, place, key, settings.model)
    except BackendError as error:
        yield bad("upstream", str(error), f"See docs/troubleshooting.md (code {error.body.get('code')}).")
    finally:
        await api.close()


def agents(settings: Settings, prices: Prices) -> list[Finding]:
    """What holds of an agent only when it is used."""
    found = []
    for agent in settings.agents:
        model = str(agent.session.get("model") or settings.model)
        if agent.budget_usd is not None and prices.find(model) is None:
            found.append(bad(
                "agent", f"'{agent.name}' has a budget, and what '{model}' costs is not known: it will not begin.",
                f'Write its prices down under [prices."{model}"] in vivavoce.toml.',
            ))  # fmt: skip
        found += [
            bad("agent", f"'{agent.name}' uses {url}, which may not be called.", f"Start with --allow-mcp {url}")
            for url in _unreachable_servers(settings, agent.session.get("tools", ()))
        ]
    names = ", ".join(agent.name for agent in settings.agents)
    return found or ([fine("agent", f"{names}.")] if names else [])


# One thing each -------------------------------------------------------------------------------------


async def _tried(about: str, attempt: Callable[[], Awaitable[str]]) -> Finding:
    begun = time.perf_counter()
    try:
        says = await attempt()
    except (ModelError, OSError) as error:
        return bad(about, str(error), "Install again with 'make setup', or choose another model.")
    return fine(about, f"{says} ({(time.perf_counter() - begun) * 1000:.0f} ms)")


async def _hears(senses: Models) -> str:
    probability = senses.vad.stream()(bytes(2 * senses.vad.window))
    return f"silence is speech with a probability of {probability:.0%}"


async def _speaks(senses: Models, sound: bytearray) -> str:
    async for chunk in senses.tts.speak("One, two, three.", "marin", 1.0):
        sound += chunk
    if not any(sound):
        raise ModelError(f"The voice {senses.tts.name} makes no sound.")
    return f"{senses.tts.name} spoke for {len(sound) / 2 / senses.tts.rate:.1f} s"


async def _recognises(senses: Models, sound: bytes) -> str:
    """What it understands of a machine's voice is no measure of what it understands of people's."""
    heard = await senses.stt.transcribe(convert(sound, senses.tts.rate, senses.stt.rate), Hints())
    return f'{senses.stt.name} took "One, two, three." for "{heard.text}"'


async def _thinks(senses: Models) -> str:
    asked = Prompt("Answer briefly.", [Message("user", "What is two plus two?")])
    said = "".join([part.text async for part in senses.llm.answer(asked) if isinstance(part, Said)])
    return f'asked for two plus two, {senses.llm.name} said "{said}"'


def _clock(answer: Answer) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return warn("clock", "the upstream told no time to compare with.", "Nothing, as long as keys are accepted.")
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > MOST_SKEW:
        return bad(
            "clock", f"this machine's clock and the upstream's are {apart:.0f} s apart; keys expire too early or late.",
            "Set the clock by the network: timedatectl set-ntp true",
        )  # fmt: skip
    return fine("clock", f"{apart:.0f} s from the upstream's.")


async def _model(api: Api, place: Place, key: Key, model: str) -> Finding:
    """A key is minted for a model that does not exist as well (H-35), so the list is asked."""
    try:
        answer = await api.ask("GET", f"/models/{quote(model, safe='')}", key, place.shown(key.value))
    except BackendError as error:
        if error.body.get("code") == "model_not_found":
            return bad("model", f"the upstream does not give '{model}' to this key.", "Choose another with --model.")
        return warn(
            "model", f"whether there is a '{model}' cannot be asked there.", "Try it: vivavoce talk --text hello"
        )
    known = json.loads(answer.text).get("id") == model
    return fine("model", model) if known else warn("model", f"'{model}' goes by another name there.", "Nothing.")


def _unreachable_servers(settings: Settings, tools: object) -> list[str]:
    if settings.answers == "upstream" or not isinstance(tools, list):
        return []  # an upstream calls them itself
    urls = [str(tool["server_url"]).partition("?")[0] for tool in tools if tool.get("server_url")]
    return [url for url in urls if not _allowed(AllowList(settings.allow_mcp), url)]


def _allowed(allowed: AllowList, url: str) -> bool:
    try:
        asked = Allowed.parse(url)
    except ValueError:
        return False
    return allowed.find(asked.scheme, asked.host, asked.port, asked.path) is not None
