"""``vivavoce serve``: the page and the API, until it is told to stop."""

import asyncio
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from vivavoce.access.turn import IceServers
from vivavoce.backends.interface import Backend
from vivavoce.cli import compose
from vivavoce.cli.keeping import keep, known_secrets, lets_somebody_in
from vivavoce.cli.options import EPILOG, SectionedCommand, read, settings_options
from vivavoce.cli.settings import Settings
from vivavoce.cli.values import is_loopback
from vivavoce.models.interfaces import ModelError
from vivavoce.server import logs
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import CannotListen, Serving, listen, serve
from vivavoce.sessions.upkeep import Lasting

SESSION_MINUTES, SILENCE_MINUTES = 60, 10
"""How long a session may last, and nobody say anything, where keys are demanded."""

UNGUARDED = (
    "host {host!r} can be reached from other machines, and nobody has been given a key yet, so anybody could talk at "
    "your expense. Make a key first (vivavoce keys create --name me), or a share link (vivavoce share create "
    "--minutes 30), set VIVAVOCE_API_KEYS, or take your app's tokens (VIVAVOCE_JWT_SECRET or --jwt-jwks-url). For "
    "yourself alone: 127.0.0.1."
)


@click.command(cls=SectionedCommand, epilog=EPILOG)
@settings_options
def command(**options: Any) -> None:
    """Serve the page and the API until Ctrl-C."""
    settings = read(options, dict(os.environ))
    logs.set_up(settings.log_level, secrets=known_secrets(settings))
    kept = keep(settings)
    served = asyncio.run(lets_somebody_in(settings, kept.store))
    if not served and not is_loopback(settings.host):
        kept.store.close()
        raise click.UsageError(UNGUARDED.format(host=settings.host))
    try:
        certificate, key = _certificate(settings)
        answerer = compose.answerer(settings)
        listening = listen(settings.host, settings.port)
    except (CannotListen, ModelError) as error:
        raise click.ClickException(str(error)) from None
    app = build(_server_options(settings, answerer.voices, served), answerer.backend, warm=answerer.warm, keeping=kept)
    address = settings.public_url or _address(settings, listening, certificate is not None)
    for line in announcement(settings, answerer.backend, address, served):
        click.echo(line)
    serve(
        app,
        listening,
        Serving(
            drain_seconds=settings.drain_seconds,
            certificate=certificate,
            private_key=key,
            trusted_proxies=settings.trusted_proxies,
        ),
    )


def announcement(settings: Settings, backend: Backend, address: str, served: bool = False) -> list[str]:
    """The few lines a person reads after starting the server."""
    lines = [f"Vivavoce is at {address} – open it and click the orb."]
    if served:
        lines = [f"Vivavoce is at {address}, for those who have a key, a token or a share link."]
    if settings.answers == "upstream":
        lines.append(f"Answers: {settings.upstream_url}, {settings.model}.")
        if settings.upstream_key:
            lines.append(f"The key in {settings.upstream_key_env} stays in this process. Without: --backend builtin")
    else:
        lines.append(f"Answers: {backend.name}, on this machine.")
        if settings.upstream_key:
            lines.append(f"To use the key in {settings.upstream_key_env} instead: --backend upstream")
        else:
            lines.append("To talk to OpenAI instead, set OPENAI_API_KEY, here or in a file .env, and start again.")
    return [*lines, "Ctrl-C stops it.", ""]


def _certificate(settings: Settings) -> tuple[Path, Path] | tuple[None, None]:
    if not (settings.https or settings.cert):
        return None, None
    from vivavoce.cli import certificate as made  # loads OpenSSL's bindings, which http needs not wait for

    try:
        if settings.cert and settings.key:
            made.check(settings.cert, settings.key)
            return settings.cert, settings.key
        return made.self_signed(settings.data_dir, made.own_names(), datetime.now(UTC))
    except made.CertificateError as error:
        raise click.ClickException(str(error)) from None


def _server_options(settings: Settings, voices: Sequence[str], served: bool) -> ServerOptions:
    longest, silence = settings.session_minutes, settings.silence_minutes
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
        max_sessions=settings.max_sessions,
        agents=settings.agents,
        prices=compose.prices(settings),
        ice=IceServers(settings.stun, settings.turn, settings.turn_secret),
        language=settings.language,
    )


def _seconds(minutes: int | None, default: int) -> float | None:
    """0 is for ever."""
    return (default if minutes is None else minutes) * 60.0 or None


def _address(settings: Settings, listening: socket.socket, https: bool) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if https else 'http'}://{host}:{listening.getsockname()[1]}"
