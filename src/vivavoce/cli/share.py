"""``vivavoce share``: links by which somebody without a key may talk, at your expense and within a budget."""

import asyncio
import os
import secrets
import time
from dataclasses import replace
from typing import Any

import click

from vivavoce.access.sealing import Sealer
from vivavoce.access.shares import Share, make_share
from vivavoce.access.tokens import hash_of
from vivavoce.cli.durations import moment, until
from vivavoce.cli.keeping import open_stored, secret
from vivavoce.cli.options import read, some_settings
from vivavoce.cli.settings import Settings
from vivavoce.cli.whereabouts import found, local_address
from vivavoce.store.store import Store

STORED = ("data_dir", "database_url")
LINK = ("port", "https", "public_url")
FRAGMENT = "#share="
"""Behind this the token stands in a link: browsers send it nowhere, so it is in no log."""


@click.group()
def command() -> None:
    """Make, show and revoke share links. With the first one, everybody needs a key or a link."""


@command.command()
@click.option("--agent", help="Who answers; without it, whoever the visitor asks for.")
@click.option("--budget", type=click.FloatRange(0, min_open=True), metavar="USD", help="Money for all who have it.")
@click.option("--minutes", type=click.IntRange(1), metavar="N", help="Talking time for all who have it.")
@click.option("--expires", type=until, metavar="TIME", help="For example 12h, 7d or 2027-01-31; never without it.")
@click.option(
    "--upstream-key-env", "key_env", metavar="NAME",
    help="Variable that holds a key for the upstream which pays for this link, in place of the server's own.",
)  # fmt: skip
@some_settings(*STORED, *LINK)
def create(
    agent: str | None,
    budget: float | None,
    minutes: int | None,
    expires: float | None,
    key_env: str | None,
    **options: Any,
) -> None:
    """Make a link. It is shown once, and kept only as a hash."""
    if budget is None and minutes is None:
        raise click.UsageError("A link needs an end: give --budget, --minutes or both.")
    settings = read(options, dict(os.environ))
    if agent is not None and agent not in {known.name for known in settings.agents}:
        raise click.UsageError(f"There is no agent {agent!r} in vivavoce.toml.")
    token, share = make_share(
        agent=agent,
        dollars=budget,
        seconds=None if minutes is None else minutes * 60.0,
        now=time.time(),
        expires_at=expires,
        random=secrets.token_bytes,
    )
    if key_env:
        share = replace(share, sealed_key=_sealed(settings, share, key_env))
    store = open_stored(settings)
    _with(store, store.shares.add(share, hash_of(token)))
    click.echo(f"{_page(settings)}/{FRAGMENT}{token}\n\nWhoever has this link may talk. It is shown only now.")
    click.echo(f"To take it back: vivavoce share revoke {share.id}")


@command.command("list")
@some_settings(*STORED)
def list_links(**options: Any) -> None:
    """Show all links and what of them is used, without their tokens."""
    store = open_stored(read(options, dict(os.environ)))
    links = _with(store, store.shares.all())
    for link in links:
        state = link.refusal(time.time())
        click.echo(f"{link.id}  {'good' if state is None else state}  agent {link.agent or 'any'}")
        click.echo(
            f"    {_of(link.used_seconds / 60, link.seconds and link.seconds / 60, '.1f')} minutes, "
            f"{_of(link.used_dollars, link.dollars, '.4f')} dollars, expires {moment(link.expires_at)}"
        )
    if not links:
        click.echo("There are no links. To make one: vivavoce share create --minutes 30")


@command.command()
@click.argument("id")
@some_settings(*STORED)
def revoke(id: str, **options: Any) -> None:
    """Take back the link called ID; the sessions that it opened end within seconds."""
    store = open_stored(read(options, dict(os.environ)))
    if not _with(store, store.shares.revoke(id, time.time())):
        raise click.ClickException(f"There is no link {id!r} that could be revoked. To see them: vivavoce share list")
    click.echo(f"{id} is revoked.")


def _sealed(settings: Settings, share: Share, key_env: str) -> bytes:
    if not (key := os.environ.get(key_env, "").strip()):
        raise click.UsageError(f"The variable {key_env} holds no key.")
    return Sealer(secret(settings), secrets.token_bytes).seal(key.encode(), share.id.encode())


def _page(settings: Settings) -> str:
    running = settings.public_url or found(settings.data_dir)
    return running or local_address("127.0.0.1", settings.port, https=settings.https)


def _of(used: float, budget: float | None, shape: str) -> str:
    return f"{used:{shape}}" + ("" if budget is None else f" of {budget:g}")


def _with(store: Store, work: Any) -> Any:
    try:
        return asyncio.run(work)
    finally:
        store.close()
