"""``vivavoce doctor``: looks for what goes wrong in practice, and says how to mend it."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import click

from vivavoce.cli import compose
from vivavoce.cli.checks import answers, calls, machine, tools
from vivavoce.cli.checks.finding import Finding, bad
from vivavoce.cli.options import EPILOG, SectionedCommand, read, settings_options
from vivavoce.cli.settings import Settings
from vivavoce.models.interfaces import ModelError
from vivavoce.server import logs

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(cls=SectionedCommand, epilog=EPILOG)
@settings_options
def command(**options: Any) -> None:
    """Check what `serve` would be started with, and say how to mend what is wrong.

    The exit status is 1 where something is wrong, and 0 where all is well, warnings or not.
    """
    settings = read(options, dict(os.environ))
    logs.set_up("error", secrets=settings.secrets)  # what is wrong is told below
    failed = asyncio.run(_report(settings))
    if failed:
        click.echo(f"\n{failed} wrong. Each trouble is explained in docs/troubleshooting.md.")
        raise SystemExit(1)
    click.echo("\nAll is well.")


async def _report(settings: Settings) -> int:
    failed = 0
    async for finding in _findings(settings):
        failed += finding.level == "fail"
        click.echo(f"{click.style(f'{finding.level:4}', fg=_COLOURS[finding.level])}  {finding.about:9} {finding.says}")
        if finding.mend:
            click.echo(f"{'':16}→ {finding.mend}")
    return failed


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield machine.data_directory(settings.data_dir)
    yield machine.port(settings)
    yield machine.https(settings)
    for address in dict.fromkeys(filter(None, ("127.0.0.1", machine.lan_address()))):
        yield await asyncio.to_thread(machine.udp, address)
    for finding in calls.calls(settings):
        yield finding
    if relays := machine.relays(settings):
        yield relays
    yield machine.proxies(os.environ)
    async for finding in answers.upstream(settings) if settings.answers == "upstream" else _models(settings):
        yield finding
    for finding in answers.agents(settings, compose.prices(settings)):
        yield finding
    async for finding in tools.tools(settings):
        yield finding


async def _models(settings: Settings) -> AsyncIterator[Finding]:
    try:
        senses = compose.senses(settings)
    except ModelError as error:
        yield bad("models", str(error), "Install it, or choose another.")
        return
    async for finding in answers.models(senses):
        yield finding
