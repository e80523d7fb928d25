"""Sessions that were held before: written into a store by hand, and read."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from vivavoce.store import placing
from vivavoce.store.items import Item
from vivavoce.store.recordings import Recording
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session
from vivavoce.store.store import Store

__all__ = ["BEGAN", "past", "put", "record_of", "recorded", "used"]

BEGAN = 1_763_700_000.0
"""2025-11-21, in the morning."""


async def past(store: Store, id: str, owner: str = "local", *, words: str = "what time is it", **more: Any) -> Session:
    """In which the user said ``words`` and was told that it is noon."""
    given: dict[str, Any] = {"kept": "text", "backend": "builtin", "model": "m", "started_at": BEGAN, "title": words}
    session = Session(id=id, owner=owner, **{**given, **more})
    await store.sessions.begin(session)
    said = [("item_1", "user", words, 1.0), ("item_2", "assistant", "It is noon.", 3.0)]
    items = [
        Item(
            id=id, type="message", item={"id": id, "type": "message", "role": role}, said_at=BEGAN + at, ms=1500,
            role=role, status="completed", words=text,
        )
        for id, role, text, at in said
    ]  # fmt: skip
    await put(store, id, *items)
    return session


async def put(store: Store, session_id: str, *items: Item) -> None:
    """Into a session that is there, and nothing else happens in it."""

    def work(connection: Connection) -> None:
        placing.put(connection, placing.look(connection, {session_id: items}), {session_id: items})

    await store.database.run(work)


async def record_of(store: Store, id: str = "sess_1") -> Session:
    """One that is there."""
    found = await store.sessions.find(id)
    assert found is not None
    return found


async def recorded(store: Store, session_id: str, name: str, sound: bytes) -> None:
    store.files.make(session_id, name).write_bytes(sound)
    await store.recordings.begin(session_id, Recording(name=name, started_at=BEGAN + 0.5))


async def used(store: Store, owner: str, *, at: float, agent: str | None = None, model: str = "m") -> None:
    """One answer of ten tokens, for a cent."""
    usage = {"input_tokens": 4, "output_tokens": 6}
    answer = Response(id="resp_1", ended_at=at, agent=agent, model=model, usage=usage, usd=Decimal("0.01"))
    await store.usage.add(owner, answer)
