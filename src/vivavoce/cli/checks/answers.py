"""Who answers: the models of this process do one thing each, or the upstream takes the key; and the agents."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

from vivavoce.access.prices import Prices
from vivavoce.audio.resample import convert
from vivavoce.backends.upstream.check import check_upstream
from vivavoce.backends.upstream.patience import Patience
from vivavoce.cli.checks.finding import Finding, Level, bad, fine
from vivavoce.cli.checks.remotes import remotes
from vivavoce.cli.settings import Settings
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.models.catalog import Models
from vivavoce.models.interfaces import Hints, Message, ModelError, Prompt, Said

__all__ = ["agents", "models", "upstream"]

PATIENCE = Patience(connect=5.0, answer=10.0)
_LEVELS: dict[bool | None, Level] = {True: "ok", None: "warn", False: "fail"}


async def models(senses: Models) -> AsyncIterator[Finding]:
    """Each is loaded and used: the voice speaks, and recognition is given what it said. They are closed afterwards."""
    sound = bytearray()
    try:
        async for finding in remotes(senses):
            yield finding
        yield await _tried("hearing", lambda: _hears(senses))
        yield await _tried("voice", lambda: _speaks(senses, sound))
        yield await _tried("words", lambda: _recognises(senses, bytes(sound)))
        yield await _tried("mind", lambda: _thinks(senses))
    finally:
        await senses.close()


async def upstream(settings: Settings) -> AsyncIterator[Finding]:
    """An ephemeral key is minted, which opens nothing and costs nothing."""
    found = await check_upstream(
        settings.upstream_url,
        settings.upstream_key,
        key_name=settings.upstream_key_env,
        models=[settings.model],
        now=time.time,
        flavour=settings.upstream_kind,
        patience=PATIENCE,
    )
    for each in found:
        yield Finding(_LEVELS[each.good], each.matter, each.words)


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
        return bad(about, str(error), "Choose another model, or install again with 'make setup'.")
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
    return f'{senses.stt.name} made "{heard.text}" of "One, two, three." in that voice; people it understands better'


async def _thinks(senses: Models) -> str:
    asked = Prompt("Answer briefly.", [Message("user", "What is two plus two?")])
    said = "".join([part.text async for part in senses.llm.answer(asked) if isinstance(part, Said)])
    return f'asked for two plus two, {senses.llm.name} said "{said}"'


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
