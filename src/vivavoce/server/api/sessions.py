"""``/api/sessions``: what was said before, for those whose it is. A session of somebody else's is not there."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from vivavoce.access.tokens import hash_of, new_key
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape
from vivavoce.server.api.asking import Asked, operation
from vivavoce.server.api.shown import SessionDetails, SessionSummary, details, summary
from vivavoce.server.errors import SessionNotFound
from vivavoce.server.service import Service
from vivavoce.server.v1.resuming import TOKEN_SECONDS
from vivavoce.sessions.parking import PREFIX
from vivavoce.store.sessions import LISTED, TITLE, Session

__all__ = ["OPERATIONS", "own"]

MOST = LISTED - 1
"""Sessions on a page; the store is asked for one more, to know whether there are any."""


class Page(Shape):
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20
    after: Annotated[str, Meta(max_length=128)] | None = None
    """The id of the last session of the page before."""
    search: Annotated[str, Meta(max_length=200)] | None = None
    """Words in the title, or said in the session."""


class SessionPage(msgspec.Struct):
    """The newest first."""

    data: Sequence[SessionSummary]
    has_more: bool
    last_id: str | None
    """What ``after`` is for the next page."""


class Rename(Shape):
    title: Annotated[str, Meta(min_length=1, max_length=TITLE)]


class Deleted(msgspec.Struct):
    id: str
    deleted: bool = True


class ResumeToken(msgspec.Struct):
    token: str
    """``vvr_…``. It opens the conversation once more, for its owner; older ones of the session are good no longer."""
    expires_at: float


async def list_sessions(service: Service, asked: Asked[Page, None]) -> SessionPage:
    page, before = asked.query, None
    if page.after is not None:
        before = await service.store.sessions.find(page.after)
        if before is None or asked.sees not in (None, before.owner):
            raise ProtocolError("invalid_value", "'after' is no session of yours; begin without it.", param="after")
    found = await service.store.sessions.newest(
        owner=asked.sees, words=page.search, before=before, limit=page.limit + 1
    )
    shown = [summary(service, session) for session in found[: page.limit]]
    return SessionPage(shown, len(found) > page.limit, shown[-1].id if shown else None)


async def read_session(service: Service, asked: Asked[Any, Any]) -> SessionDetails:
    session = await own(service, asked)
    return details(service, session, await service.store.recordings.all(session.id))


async def rename_session(service: Service, asked: Asked[None, Rename]) -> SessionDetails:
    session = await own(service, asked)
    await service.store.sessions.rename(session.id, asked.body.title)
    return await read_session(service, asked)


async def delete_session(service: Service, asked: Asked[None, None]) -> Deleted:
    """With its recordings. Of one that goes on nothing more is written down."""
    session = await own(service, asked)
    try:
        await service.store.forgetting.session(session.id)
    except OSError:
        words = "A recording of this session cannot be deleted now, so all of it is still there. Try again."
        raise BackendError.of(503, words, code="not_deleted") from None
    return Deleted(session.id)


async def resume_session(service: Service, asked: Asked[None, None]) -> ResumeToken:
    """For the principal whose session it is, whoever asks."""
    session = await own(service, asked)
    if session.id in service.registry.records():
        raise ProtocolError("session_is_live", "This session goes on right now; its client has a token for it.")
    if session.kept == "off":
        raise ProtocolError("nothing_kept", "Nothing of this conversation was kept, so it cannot go on. Begin anew.")
    token, now = new_key(PREFIX, service.random), service.now()
    expires_at = now + TOKEN_SECONDS
    await service.store.resume_tokens.keep(session.id, session.owner, [hash_of(token)], now=now, expires_at=expires_at)
    return ResumeToken(token, expires_at)


async def own(service: Service, asked: Asked[Any, Any]) -> Session:
    """The session that the path names, by its id or its call's. Raises :class:`SessionNotFound`."""
    id, sessions = asked.path["id"], service.store.sessions
    session = await sessions.find(id) or await sessions.of_call(id)
    if session is None or asked.sees not in (None, session.owner):
        raise SessionNotFound
    return session


ONE = "/api/sessions/{id}"
OPERATIONS = [
    operation("GET", "/api/sessions", list_sessions, "Sessions, the newest first", query=Page, answers=SessionPage),
    operation("GET", ONE, read_session, "A session", answers=SessionDetails),
    operation("PATCH", ONE, rename_session, "Give a session a title", body=Rename, answers=SessionDetails),
    operation("DELETE", ONE, delete_session, "Delete a session and its recordings", answers=Deleted),
    operation("POST", ONE + "/resume", resume_session, "A resume token for an old session", answers=ResumeToken),
]
