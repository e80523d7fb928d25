"""Brings a model's files onto this machine: resumed where that is safe, checked before they count, put in place whole.

A file is written as ``NAME.part`` and renamed when its size and its hash are right, so one that has its name is whole.
A hash that is not known (``ModelFile.sha256``) is that of the first fetch, kept in ``NAME.sha256`` as ``sha256sum``
writes it. Only what has a known hash is resumed: of anything else nobody could tell whether its halves belong together.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

import aiohttp

from vivavoce.access.loopback import is_loopback
from vivavoce.models.files import ModelFile
from vivavoce.models.interfaces import ModelError

__all__ = ["LIMIT", "Outcome", "Progress", "fetch"]

LIMIT = 4 * 1024**3
"""Bytes of a file whose size is not known here."""
SPARE = 64 * 1024**2
"""Bytes that are left free on the disk."""
CONNECT, SILENCE = 15.0, 60.0
"""Seconds to a connection, and without a byte."""
REDIRECTS = 5
PIECE = 256 * 1024

Outcome = Literal["kept", "verified", "first"]
"""It was there already and right; it was fetched and has the hash that was known; fetched, and its hash was noted."""
Progress = Callable[[int, int], None]
"""Told of the bytes that are here, and of all there will be; 0 where the server does not say."""


async def fetch(file: ModelFile, directory: Path, progress: Progress) -> Outcome:
    """See that ``file`` lies below ``directory``, whole and right. Raises :class:`ModelError`, with what to do; what
    has arrived by then is kept where the next attempt can go on from it."""
    target = directory / file.path
    known = file.sha256 or _noted(target)
    part = target.with_name(target.name + ".part")
    try:
        if _right(target, known):
            return "kept"
        target.parent.mkdir(parents=True, exist_ok=True)
        await _download(file, part, progress, have=_arrived(part) if known else 0)
        found = _hash(part)
        if known and found != known:
            _delete(part)
            raise ModelError(_other(file, target, pinned=bool(file.sha256)))
        if not known:
            _note(target, found)
        part.replace(target)
    except OSError as error:  # aiohttp's are caught where they arise
        raise ModelError(f"{target} cannot be written: {error.strerror or error}.") from error
    return "verified" if known else "first"


async def _download(file: ModelFile, part: Path, progress: Progress, *, have: int) -> None:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)
    if file.size and have == file.size:
        return
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            async with await _open(session, file, have) as response:
                await _receive(response, file, part, progress, have)
    except TimeoutError:
        raise ModelError(f"{_host(file.url)} does not answer any more. Try again.") from None
    except aiohttp.ClientPayloadError:
        raise ModelError(f"The connection broke off in the middle of {file.path}. Try again.") from None
    except aiohttp.ClientError as error:
        raise ModelError(f"{_host(file.url)} cannot be reached: {error}. Is this machine online?") from None


async def _open(session: aiohttp.ClientSession, file: ModelFile, have: int) -> aiohttp.ClientResponse:
    """The answer, behind redirections that are each judged first."""
    url = file.url
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    for _ in range(REDIRECTS + 1):
        _judge(url, file.url)
        response = await session.get(url, headers=headers, allow_redirects=False)
        if response.status not in (301, 302, 303, 307, 308):
            return response
        response.release()
        url = urljoin(url, response.headers.get("Location", ""))
    raise ModelError(f"{_host(file.url)} sends from one address to the next, {REDIRECTS} times. Try again later.")


def _judge(url: str, asked: str) -> None:
    """https, or http to this very machine where that was asked for: a redirection cannot lead there."""
    at, first = urlsplit(url), urlsplit(asked)
    here = at.scheme == first.scheme == "http" and is_loopback(at.hostname or "") and is_loopback(first.hostname or "")
    if at.scheme != "https" and not here:
        raise ModelError(
            f"{_host(asked)} leads to an address without https ({_host(url)}). Nothing was fetched from it."
        )


async def _receive(
    response: aiohttp.ClientResponse, file: ModelFile, part: Path, progress: Progress, have: int
) -> None:
    if response.status == 416:  # there is no such part of it: what lies here is no beginning of it
        _delete(part)
        raise ModelError(f"What had arrived of {file.path} is of no use and was deleted. Try again.")
    if response.status not in (200, 206):
        raise ModelError(_refused(file, response.status))
    if response.status == 200 or not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        if response.status == 206:
            raise ModelError(f"{_host(file.url)} sent another part of {file.path} than was asked for. Try again.")
        have = 0  # it does not resume
    total = have + response.content_length if response.content_length else file.size
    if file.size and total != file.size:
        raise ModelError(
            f"{_host(file.url)} has {total} bytes of {file.path}, which should be {file.size}. Nothing was fetched. "
            "Is there a page for signing in between this machine and the Internet?"
        )
    if total > LIMIT or have > LIMIT:
        raise ModelError(f"{file.path} would have {total} bytes, and {LIMIT} are allowed. Nothing was fetched.")
    _room(part, total - have)
    with part.open("ab" if have else "wb") as out:
        progress(have, total)
        async for piece in response.content.iter_chunked(PIECE):
            have += len(piece)
            if have > (file.size or LIMIT):
                raise ModelError(f"{_host(file.url)} sends more of {file.path} than it should have. Try again later.")
            out.write(piece)  # a command does nothing else meanwhile
            progress(have, total)
        out.flush()
        os.fsync(out.fileno())
    if file.size and have != file.size:
        raise ModelError(f"Only {have} of {file.size} bytes of {file.path} have arrived. Try again.")


def _room(part: Path, wanted: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < wanted + SPARE:
        raise ModelError(
            f"{part.parent} has {free // 10**6} MB free, and {(wanted + SPARE) // 10**6} are needed. Make room, or "
            "choose another --data-dir."
        )


def _right(target: Path, known: str) -> bool:
    """One that is here without a known hash was put here by somebody, and is held to what it is now."""
    if not target.is_file():
        return False
    if not known:
        _note(target, _hash(target))
    return not known or _hash(target) == known


def _arrived(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _delete(part: Path) -> None:
    part.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_of(target: Path) -> Path:
    return target.with_name(target.name + ".sha256")


def _noted(target: Path) -> str:
    try:
        return _note_of(target).read_text("ascii").split()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return ""


def _note(target: Path, found: str) -> None:
    _note_of(target).write_text(f"{found}  {target.name}\n", "ascii")


def _other(file: ModelFile, target: Path, *, pinned: bool) -> str:
    words = f"{file.path} has another hash than"
    if pinned:
        return f"{words} is known of it, so it is damaged or another file, and was deleted. Try again later."
    return (
        f"{words} when it was first fetched, so it is damaged or was replaced, and what came was deleted. If you trust "
        f"the new one, delete {_note_of(target)} and fetch again."
    )


def _refused(file: ModelFile, status: int) -> str:
    host = _host(file.url)
    match status:
        case 401 | 403:
            return f"{host} does not give {file.path} to everybody (status {status})."
        case 404 | 410:
            return f"{host} has no {file.path}. Is the name right?"
        case 429:
            return f"{host} takes no more requests for now. Try again in some minutes."
    return f"{host} answered with status {status} in the place of {file.path}. Try again later."


def _host(url: str) -> str:
    """Without what stands before an @: that may be a password."""
    return urlsplit(url).netloc.rpartition("@")[2] or "an address that is none"
