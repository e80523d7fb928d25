"""``vivavoce sessions``: what was said, what it cost, and an end to both."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from vivavoce.cli.durations import moment
from vivavoce.cli.keeping import open_stored
from vivavoce.cli.options import read, some_settings
from vivavoce.store.export import as_json, as_text, as_webvtt, dollars
from vivavoce.store.items import Item
from vivavoce.store.sessions import LISTED, Session
from vivavoce.store.store import Store
from vivavoce.store.usage import Day

STORED = ("data_dir", "database_url")
DAYS = 7
"""That ``usage`` shows where nothing else is asked for."""
SHAPES: dict[str, Callable[[Session, list[Item]], str]] = {
    "json": lambda session, items: json.dumps(as_json(session, items), indent=2, ensure_ascii=False) + "\n",
    "text": as_text,
    "webvtt": as_webvtt,
}

T = TypeVar("T")


@click.group()
def command() -> None:
    """Show, export and delete what was said; show what it cost. A server may run beside it."""


@command.command("list")
@click.option("--owner", metavar="NAME", help="Only theirs: local, key:…, user:… or share:…")
@click.option("--search", "words", metavar="WORDS", help="Only those with these words in their title, or said in them.")
@click.option("--limit", type=click.IntRange(1, LISTED), default=20, show_default=True, help="How many at most.")
@some_settings(*STORED)
def list_sessions(owner: str | None, words: str | None, limit: int, **options: Any) -> None:
    """Show sessions, the newest first."""
    found = _with(options, lambda store: store.sessions.newest(owner=owner, words=words, limit=limit))
    for session in found:
        agent = f"  agent {session.agent}" if session.agent else ""
        click.echo(f"{session.id}  {moment(session.active_at)}  {session.owner}{agent}  {_cost(session)}")
        click.echo(f"    {session.title or '(nothing was said, or nothing is kept of it)'}")
    if not found:
        click.echo("There are no such sessions.")


@command.command()
@click.argument("id")
@some_settings(*STORED)
def show(id: str, **options: Any) -> None:
    """Show what was said in the session called ID, and what it cost."""
    session, items = _session(options, id)
    click.echo(as_text(session, items))
    ended = f"ended {moment(session.ended_at)}" if session.ended_at else "no end is known"
    click.echo(f"{session.owner}, {session.responses} answers, {_cost(session)}, {ended}")


@command.command()
@click.argument("id")
@click.option("--format", "shape", type=click.Choice([*SHAPES]), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, in place of the screen.")
@some_settings(*STORED)
def export(id: str, shape: str, output: Path | None, **options: Any) -> None:
    """Write the session called ID as JSON (all of it), as text, or as WebVTT (captions of its recording)."""
    text = SHAPES[shape](*_session(options, id))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"{output} is written.")


@command.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--owner", metavar="NAME", help="All that is kept of this person or key: user:alice, key:key_1…")
@click.option("--yes", is_flag=True, help="Do not ask.")
@some_settings(*STORED)
def delete(ids: tuple[str, ...], owner: str | None, yes: bool, **options: Any) -> None:
    """Delete sessions, with their recordings: those called ID, or all of one owner. What they cost stays in the sums by
    day, under nobody's name where an owner's data are deleted."""
    if bool(ids) == (owner is not None):
        raise click.UsageError("Say which sessions by their ids, or whose with --owner.")
    if not yes:
        click.confirm(f"Delete {f'all that is kept of {owner}' if owner else ' '.join(ids)} for good?", abort=True)

    async def work(store: Store) -> int:
        if owner is not None:
            return await store.forgetting.owner(owner)
        return sum([await store.forgetting.session(id) for id in ids])

    try:
        count = _with(options, work)
    except OSError as error:
        raise click.ClickException(f"A recording cannot be deleted, and its session is still there: {error}.") from None
    click.echo(f"{count} session{'' if count == 1 else 's'} deleted.")


@command.command()
@click.option("--day", metavar="DAY", help="today, yesterday or a date such as 2026-11-20, of UTC; else the last week.")
@click.option("--owner", metavar="NAME", help="Only theirs.")
@some_settings(*STORED)
def usage(day: str | None, owner: str | None, **options: Any) -> None:
    """Show what was used and what it cost, by day, owner, agent and model."""
    today = datetime.now(UTC).date()
    since, until = (today - timedelta(days=DAYS - 1), today) if day is None else (_day(day, today),) * 2
    found = _with(options, lambda store: store.usage.days(since=since, until=until, owner=owner))
    for each in found:
        click.echo(f"{each.day}  {each.owner}  {each.agent or '-'}  {each.model}: {_used(each)}")
    if not found:
        click.echo("Nothing was used.")
        return
    unpriced = sum(each.unpriced for each in found)
    beside = f", and {unpriced} requests whose price is not known here" if unpriced else ""
    click.echo(f"Together: ${dollars(sum((each.usd for each in found), start=found[0].usd * 0))}{beside}")


def _used(day: Day) -> str:
    tokens = f"{day.text_in + day.audio_in} tokens in, {day.text_out + day.audio_out} out" if not day.seconds else ""
    audio = f"{day.seconds:.0f} seconds" if day.seconds else ""
    price = "price unknown" if day.unpriced == day.requests else f"${dollars(day.usd)}"
    return f"{day.requests} requests, {', '.join(each for each in (tokens, audio) if each)}, {price}"


def _day(text: str, today: date) -> date:
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        return named.get(text) or date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is no day; write today, yesterday or 2026-11-20.") from None


def _cost(session: Session) -> str:
    return f"${dollars(session.usd)}" + (f" and {session.unpriced} of unknown price" if session.unpriced else "")


def _session(options: dict[str, Any], id: str) -> tuple[Session, list[Item]]:
    async def work(store: Store) -> tuple[Session | None, list[Item]]:
        session = await store.sessions.find(id) or await store.sessions.of_call(id)
        return session, await store.items.all(session.id) if session else []

    session, items = _with(options, work)
    if session is None:
        raise click.ClickException(f"There is no session {id!r}. To see them: vivavoce sessions list")
    return session, items


def _with(options: dict[str, Any], work: Callable[[Store], Awaitable[T]]) -> T:
    store = open_stored(read(options, dict(os.environ)))

    async def run() -> T:
        return await work(store)

    try:
        return asyncio.run(run())
    finally:
        store.close()
