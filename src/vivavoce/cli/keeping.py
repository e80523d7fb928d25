"""From settings to what a server keeps: the database, the secret that seals, the tokens it takes, the counts."""

import os
import secrets
import time
from functools import partial
from pathlib import Path

import click

from vivavoce.access.counts import CountsError, counts_at
from vivavoce.access.jwt import PublishedKeys, Secret, Tokens
from vivavoce.cli.settings import Settings
from vivavoce.server.keeping import Keeping
from vivavoce.store.database import StoreError, in_directory
from vivavoce.store.store import RECORDINGS, Store, open_store

__all__ = ["keep", "lets_somebody_in", "open_stored", "secret"]

SECRET_FILE = "secret"
SECRET_BYTES = 32


def open_stored(settings: Settings) -> Store:
    """Ends the command in words where there is no store to be had."""
    try:
        return open_store(settings.database_url or in_directory(settings.data_dir), settings.data_dir / RECORDINGS)
    except StoreError as error:
        raise click.ClickException(str(error)) from None


def keep(settings: Settings) -> Keeping:
    store = open_stored(settings)
    try:
        counts = counts_at(settings.limits_url)
        return Keeping(store=store, secret=secret(settings), tokens=_tokens(settings), counts=counts)
    except CountsError as error:
        store.close()
        raise click.ClickException(str(error)) from None


async def lets_somebody_in(settings: Settings, store: Store) -> bool:
    """Whether anybody has been given something to come in with: served mode."""
    by_settings = settings.api_keys or settings.jwt_secret or settings.jwt_jwks_url
    return bool(by_settings) or await store.keys.any() or await store.shares.any()


def secret(settings: Settings) -> bytes:
    """VIVAVOCE_SECRET, or one of this data directory's own: made once, readable by its user alone."""
    if settings.secret:
        return settings.secret.encode()
    path = settings.data_dir / SECRET_FILE
    try:
        _write_new(path, secrets.token_hex(SECRET_BYTES))
        return bytes.fromhex(path.read_text("ascii"))
    except OSError as error:
        raise click.ClickException(f"The secret {path} cannot be read or made: {error.strerror}.") from None
    except ValueError:
        raise click.ClickException(
            f"The secret {path} is damaged. Put back the right one, or delete it; share links with a key of their own, "
            "and ephemeral keys, then have to be made anew."
        ) from None


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all, and only where there is none: two processes may start at once."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _tokens(settings: Settings) -> Tokens | None:
    if settings.jwt_secret:
        verifying: Secret | PublishedKeys = Secret(settings.jwt_secret)
    elif settings.jwt_jwks_url:
        from vivavoce.client.jwks import fetch_keys

        verifying = PublishedKeys(partial(fetch_keys, settings.jwt_jwks_url), time.monotonic)
    else:
        return None
    return Tokens(verifying, time.time, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
