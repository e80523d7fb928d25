"""``vivavoce talk``: a session with any Realtime server from the terminal.

``--wav`` asks what a recording says and ``--text`` what is typed: one turn, printed with its timings. With neither, it
is a conversation over this machine's microphone and speaker.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import click
from dotenv import dotenv_values

from vivavoce.access.loopback import is_loopback
from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.resample import convert
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.cli.options import read, some_settings
from vivavoce.cli.settings import Settings
from vivavoce.cli.soundcard import NoSoundCard, SoundCard, converse
from vivavoce.cli.whereabouts import found, local_address
from vivavoce.client.realtime import RealtimeSession, Refused, Unreachable, connect, dial
from vivavoce.client.returning import OFFERED, Returning
from vivavoce.client.turn import Turn, TurnError, ask, configure, say, wish
from vivavoce.protocol.frame import Closed


@click.command()
@click.option("--url", help="The server's address; without it, the one that runs here (else ws://127.0.0.1:7171/…).")
@click.option("--key-env", metavar="NAME", help="Variable that holds the key to send; none is sent without it.")
@click.option("--model", default="gpt-realtime", show_default=True, help="Model to ask for.")
@click.option("--voice", metavar="NAME", help="Voice of the answer; the server's own choice without it.")
@click.option("--wav", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A recorded question.")
@click.option("--text", help="A typed question.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the answer, as WAV.")
@some_settings("data_dir", "port", "https")
def command(
    url: str | None,
    key_env: str | None,
    model: str,
    voice: str | None,
    wav: Path | None,
    text: str | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Talk to a Realtime server: this machine's own, unless --url says otherwise.

    \b
    vivavoce talk                                     with microphone and speaker
    vivavoce talk --wav question.wav --out answer.wav
    vivavoce talk --text "What time is it in London?"
    """
    if wav and text:
        raise click.UsageError("Give --wav or --text, not both.")
    if out and not (wav or text):
        raise click.UsageError("--out needs --wav or --text.")
    url = url or _here(read(options, dict(os.environ)))
    key = _key(key_env, url)
    try:
        if wav or text:
            asyncio.run(_one_turn(url, key, model, voice, wav, text, out))
        else:
            asyncio.run(_conversation(url, key, model, voice))
    except (TurnError, NoSoundCard) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        click.echo()


def _here(settings: Settings) -> str:
    """The server of this machine."""
    address = found(settings.data_dir) or local_address("127.0.0.1", settings.port, https=settings.https)
    return f"ws{address.removeprefix('http')}/v1/realtime"


async def _one_turn(
    url: str, key: str | None, model: str, voice: str | None, wav: Path | None, text: str | None, out: Path | None
) -> None:
    pcm = _recording(wav) if wav else b""
    async with _session(url, key, model, voice) as session:
        ours = session.subprotocol == OFFERED[0]
        turn = await (say(session, pcm, budgeted=ours) if wav else ask(session, text or ""))
    for line in report(turn):
        click.echo(line)
    if out:
        _write(out, bytes(turn.audio))


async def _conversation(url: str, key: str | None, model: str, voice: str | None) -> None:
    with SoundCard.open() as card:
        async with _connected(url, key, model) as session:
            line = _returning(session, url, key, model, voice)
            try:
                await configure(line, voice=voice)
                click.echo("Speak. Ctrl-C ends the conversation; headphones keep it from hearing itself.")
                await converse(line, card, click.echo)
            finally:
                await line.close()


def _returning(session: RealtimeSession, url: str, key: str | None, model: str, voice: str | None) -> Returning:
    async def again(subprotocols: Sequence[str], after: str | None) -> RealtimeSession:
        return await dial(_after(url, after), key=key, model=model, subprotocols=subprotocols)

    return Returning(session, again, anew=partial(wish, voice=voice), show=click.echo)


def _after(url: str, event_id: str | None) -> str:
    """The address that asks for what followed an event."""
    return f"{url}{'&' if urlsplit(url).query else '?'}after={quote(event_id)}" if event_id else url


@asynccontextmanager
async def _session(url: str, key: str | None, model: str, voice: str | None) -> AsyncIterator[RealtimeSession]:
    """A session that is set up to talk."""
    async with _connected(url, key, model) as session:
        await configure(session, voice=voice)
        yield session


@asynccontextmanager
async def _connected(url: str, key: str | None, model: str) -> AsyncIterator[RealtimeSession]:
    """What can go wrong with it becomes a :class:`TurnError` in plain words."""
    try:
        async with connect(url, key=key, model=model, subprotocols=OFFERED) as session:
            yield session
    except Unreachable as error:
        raise TurnError(f"{error} {_hint(url)}") from None
    except Refused as refused:
        raise TurnError(_refusal(refused, key)) from None
    except Closed as closed:
        raise TurnError(f"The server ended the session ({closed.code}): {closed.reason or 'no reason given'}") from None


def _hint(url: str) -> str:
    if is_loopback(urlsplit(url).hostname or ""):
        return "Is the server running? `make run` or `vivavoce serve` starts it."
    return "Is the address right?"


def _refusal(refused: Refused, key: str | None) -> str:
    if refused.status in (401, 403):
        if key:
            return f"The server refuses the key: {refused} Is the key right?"
        return f"The server refuses: {refused} A key goes into a variable, which --key-env names."
    return f"The server refuses the session ({refused.status}): {refused}"


def _key(variable: str | None, url: str) -> str | None:
    """The key, from the environment or the ``.env`` files of the current directory."""
    if variable is None:
        return None
    key = os.environ.get(variable) or dotenv_values(".env.local").get(variable) or dotenv_values(".env").get(variable)
    if not key:
        _fail(f"{variable} is not set, neither in the environment nor in .env.local or .env.")
    parts = urlsplit(url)
    if parts.scheme in ("ws", "http") and not is_loopback(parts.hostname or ""):
        _fail(f"The key would travel to {parts.hostname} unencrypted. Use a wss:// address.")
    return key


def _recording(path: Path) -> bytes:
    try:
        pcm, rate = read_wav(path)
    except (OSError, ValueError) as error:
        _fail(f"{path}: {error}")
    return convert(pcm, rate, HOUSE_RATE)


def _write(path: Path, pcm: bytes) -> None:
    try:
        write_wav(path, pcm, HOUSE_RATE)
    except OSError as error:
        _fail(f"{path} cannot be written: {error.strerror}.")
    click.echo(f"\nThe answer is in {path}: {len(pcm) / 2 / HOUSE_RATE:.1f} s.")


def report(turn: Turn) -> list[str]:
    """What was said, then one line a step: how long it took, and the time since the question was out."""
    asked, answered = turn.question or "(no words heard)", turn.answer or "(no words)"
    since = "end of speech" if turn.spoken else "question sent"
    lines = [f"You:    {asked}", f"Answer: {answered}", "", f"{'step':>9}  {'total':>9}  since {since}"]
    before = 0
    for name, at in turn.steps.items():
        total = round((at - turn.asked_at) * 1000)
        lines.append(f"{total - before:>+6} ms  {total:>6} ms  {name}")
        before = total
    return lines + _stages(turn)


_STAGES = {
    "decided": "the silence that ends a turn",
    "recognised": "recognition, beyond that silence",
    "first_token": "the mind's first word",
    "first_audio": "the voice's first sound",
    "first_packet": "until it was sent",
    "on the way": "on the way, there and back",
}


def _stages(turn: Turn) -> list[str]:
    """Where the time to the first audio went, for a server that tells: the last line is the sum of the others."""
    if not (stages := turn.stages):
        return []
    rows = [f"{added:>+6} ms  {_STAGES[name]}" for name, added in stages.items()]
    return ["", "of which", *rows, f"{sum(stages.values()):>6} ms  from the end of speech to the first audio"]


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)
