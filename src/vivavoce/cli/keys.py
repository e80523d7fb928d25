"""``vivavoce keys``: who may come in with a key of their own."""

import asyncio
import os
import secrets
import time
from typing import Any, cast

import click

from vivavoce.access.keys import ApiKey, make_key
from vivavoce.access.principal import SCOPES, Scope
from vivavoce.access.tokens import hash_of
from vivavoce.cli.durations import moment, until
from vivavoce.cli.keeping import open_stored
from vivavoce.cli.options import read, some_settings
from vivavoce.store.store import Store

STORED = ("data_dir", "database_url")


@click.group()
def command() -> None:
    """Make, show and revoke API keys. With the first one, everybody needs one, on this machine too."""


@command.command()
@click.option("--name", required=True, help="Whose it is, for the list.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES),
    help="connect: open sessions. mint: make ephemeral keys for pages. manage: control everybody's calls. "
    "May be repeated; all three without it.",
)  # fmt: skip
@click.option("--expires", type=until, metavar="TIME", help="For example 12h, 30d or 2027-01-31; never without it.")
@some_settings(*STORED)
def create(name: str, scopes: tuple[str, ...], expires: float | None, **options: Any) -> None:
    """Make a key. It is shown once, and kept only as a hash."""
    store = open_stored(read(options, dict(os.environ)))
    chosen = frozenset(cast("tuple[Scope, ...]", scopes or SCOPES))
    key, known = make_key(name, chosen, now=time.time(), expires_at=expires, random=secrets.token_bytes)
    _with(store, store.keys.add(known, hash_of(key)))
    click.echo(f"{key}\n\nThis is the only time that it is shown. It is sent as: Authorization: Bearer {key[:6]}…")
    click.echo(f"To take it back: vivavoce keys revoke {known.id}")


@command.command("list")
@some_settings(*STORED)
def list_keys(**options: Any) -> None:
    """Show all keys, without the keys themselves."""
    store = open_stored(read(options, dict(os.environ)))
    keys = _with(store, store.keys.all())
    for key in keys:
        click.echo(f"{key.id}  {_state(key):8}  {','.join(sorted(key.scopes))}  {key.name}")
        click.echo(f"    made {moment(key.created_at)}, used {moment(key.used_at)}, expires {moment(key.expires_at)}")
    if not keys:
        click.echo("There are no keys. To make one: vivavoce keys create --name NAME")


@command.command()
@click.argument("id")
@some_settings(*STORED)
def revoke(id: str, **options: Any) -> None:
    """Take back the key called ID, and with it the ephemeral keys that it made; their sessions end within seconds."""
    store = open_stored(read(options, dict(os.environ)))

    async def work() -> tuple[bool, bool]:
        return await store.keys.revoke(id, time.time()), await store.keys.any()

    revoked, some_left = _with(store, work())
    if not revoked:
        raise click.ClickException(f"There is no key {id!r} that could be revoked. To see them: vivavoce keys list")
    click.echo(f"{id} is revoked.")
    if not some_left:
        click.echo("No key is left. A server that runs stays closed; one started anew may be open to this machine.")


def _with(store: Store, work: Any) -> Any:
    try:
        return asyncio.run(work)
    finally:
        store.close()


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "good" if key.is_good(time.time()) else "expired"
