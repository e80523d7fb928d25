"""``vivavoce serve``: the page and the API, until it is told to stop."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from starlette.applications import Starlette

from vivavoce.access.loopback import is_loopback
from vivavoce.cli.options import EPILOG, SectionedCommand, read, settings_options
from vivavoce.cli.settings import Settings
from vivavoce.cli.whereabouts import local_address, noted
from vivavoce.server import logs
from vivavoce.server.door import Door
from vivavoce.server.run import CannotListen, Serving, listen, serve


@click.command(cls=SectionedCommand, epilog=EPILOG)
@settings_options
def command(**options: Any) -> None:
    """Serve the page and the API until Ctrl-C."""
    settings = read(options, dict(os.environ))
    logs.set_up(settings.log_level, secrets=settings.secrets)
    if not is_loopback(settings.host):
        from vivavoce.cli.building import refuse_unguarded

        refuse_unguarded(settings)
    certificate, key = _certificate(settings)
    try:
        listening = listen(settings.host, settings.port)
    except CannotListen as error:
        raise click.ClickException(str(error)) from None

    port = listening.getsockname()[1]

    def build() -> Starlette:
        from vivavoce.cli.building import build_app

        return build_app(settings, port, https=certificate is not None)

    how = Serving(
        drain_seconds=settings.drain_seconds,
        certificate=certificate,
        private_key=key,
        trusted_proxies=settings.trusted_proxies,
    )
    with noted(settings.data_dir, local_address(settings.host, port, https=certificate is not None)):
        serve(Door(build), listening, how)


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
