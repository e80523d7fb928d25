"""From settings to the application, with all that it needs: models, a database, limits. What this imports takes a
second or two, so the command imports it when the server listens already."""

import asyncio
from collections.abc import Sequence

import click
from starlette.applications import Starlette

from vivavoce.access.turn import IceServers
from vivavoce.backends.interface import Backend
from vivavoce.cli import compose
from vivavoce.cli.keeping import keep, lets_somebody_in, open_stored
from vivavoce.cli.presets import picked
from vivavoce.cli.settings import Settings
from vivavoce.cli.whereabouts import address_of
from vivavoce.models.interfaces import ModelError
from vivavoce.models.remote.place import OPENAI, OPENAI_MODELS
from vivavoce.server.app import build
from vivavoce.server.options import Calls, ServerOptions
from vivavoce.sessions.upkeep import Lasting
from vivavoce.tools.interface import LoadError

__all__ = ["announcement", "build_app", "refuse_unguarded"]

SESSION_MINUTES, SILENCE_MINUTES = 60, 10
"""How long a session may last, and nobody say anything, where keys are demanded."""

UNGUARDED = (
    "host {host!r} can be reached from other machines, and nobody has been given a key yet, so anybody could talk at "
    "your expense. Make a key first (vivavoce keys create --name me), or a share link (vivavoce share create "
    "--minutes 30), set VIVAVOCE_API_KEYS, or take your app's tokens (VIVAVOCE_JWT_SECRET or --jwt-jwks-url). For "
    "yourself alone: 127.0.0.1."
)


def refuse_unguarded(settings: Settings) -> None:
    """Ends the command where anybody could come in from another machine."""
    store = open_stored(settings)
    try:
        if not asyncio.run(lets_somebody_in(settings, store)):
            raise click.UsageError(UNGUARDED.format(host=settings.host))
    finally:
        store.close()


def build_app(settings: Settings, port: int, *, https: bool) -> Starlette:
    """Says what answers and where to click. Ends the command in words where something is missing."""
    kept = keep(settings)
    served = asyncio.run(lets_somebody_in(settings, kept.store))
    try:
        answerer = compose.answerer(settings)
        toolbox = compose.toolbox(settings)
    except (ModelError, LoadError) as error:
        kept.store.close()
        raise click.ClickException(str(error)) from None
    options = _server_options(settings, answerer.voices, served)
    app = build(options, answerer.backend, warm=answerer.warm, keeping=kept, toolbox=toolbox)
    address = settings.public_url or address_of(settings.host, port, https=https)
    for line in announcement(settings, answerer.backend, address, served):
        click.echo(line)
    return app


def announcement(settings: Settings, backend: Backend, address: str, served: bool = False) -> list[str]:
    """The few lines a person reads after starting the server."""
    lines = [f"Vivavoce is at {address} – open it and click the orb."]
    if served:
        lines = [f"Vivavoce is at {address} – for those who have a key, a token or a share link."]
    if settings.answers == "upstream":
        lines.append(f"Answers: {settings.upstream_url}, {settings.model}.")
        if settings.upstream_key:
            lines.append(f"The key in {settings.upstream_key_env} stays in this process. Without: --backend builtin")
    else:
        lines += [f"Answers: {backend.name}, on this machine.", *_remote(settings)]
        if line := picked(settings).line:
            lines.append(line)
        if settings.upstream_key:
            lines.append(f"To use the key in {settings.upstream_key_env} instead: --backend upstream")
        else:
            lines.append("To talk to OpenAI instead, set OPENAI_API_KEY, here or in a file .env, and start again.")
    return [*lines, "Ctrl-C stops it.", ""]


def _remote(settings: Settings) -> list[str]:
    """Which of its senses are elsewhere."""
    senses = {"stt": "It hears with", "llm": "It thinks with", "tts": "It speaks with"}
    chosen = ((words, settings.chosen[sense]) for sense, words in senses.items())
    return [
        f"{words} {each.model or 'the usual model'} at {each.url or OPENAI}."
        for words, each in chosen
        if each.name == "openai"
    ]


def _server_options(settings: Settings, voices: Sequence[str], served: bool) -> ServerOptions:
    longest, silence = settings.session_minutes, settings.silence_minutes
    ice = IceServers(settings.stun, settings.turn, settings.turn_secret)
    return ServerOptions(
        public_url=settings.public_url,
        served=served,
        api_keys=settings.api_keys,
        allowances={"key": settings.limit_key, "user": settings.limit_user, "address": settings.limit_address},
        lasting=Lasting(_seconds(longest, SESSION_MINUTES), _seconds(silence, SILENCE_MINUTES)),
        lasting_local=Lasting(_seconds(longest, 0), _seconds(silence, 0)),
        host=settings.host,
        model=settings.model,
        voice=settings.voice,
        voices=voices,
        transport=settings.transport,
        debug=settings.debug_realtime,
        allow_origins=settings.allow_origins,
        open_metrics=settings.open_metrics,
        max_sessions=settings.max_sessions,
        park_seconds=settings.park_seconds,
        max_parked=settings.max_parked,
        agents=settings.agents,
        prices=compose.prices(settings),
        plain_models={**OPENAI_MODELS, **{sense: each.model for sense, each in settings.chosen.items() if each.model}},
        ice=ice,
        calls=Calls(
            settings.udp_port_range, settings.public_address, ice if settings.ice_for == "both" else IceServers()
        ),
        language=settings.language,
        store=settings.store,
        keep_days=settings.keep_days,
    )


def _seconds(minutes: int | None, default: int) -> float | None:
    """0 is for ever."""
    return (default if minutes is None else minutes) * 60.0 or None
