"""A turn-based conversation as a session in the store, like one that was spoken.

Whoever asks names it in the header ``X-Vivavoce-Thread``, or a chat in its ``metadata.thread``; the answer's
``X-Vivavoce-Session`` tells the session's id. Without a name only what was used is kept, as for everybody.

A client of these endpoints sends the whole conversation each time. So an item's id is made of what it says and of how
often that was said before: what is sent again is the same item, and is written once.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from vivavoce.access.agents import Agent
from vivavoce.backends.interface import Relays
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.service import Service
from vivavoce.store.items import Item
from vivavoce.store.responses import Response
from vivavoce.store.sessions import Session
from vivavoce.store.writing import Batch

__all__ = ["Thread"]

PREVIEW: Final = 120
"""Characters."""
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_WORDS = {"user": "input_text", "system": "input_text", "assistant": "output_text"}


class Thread:
    """Of one ``owner``: the same name is another thread to everybody else."""

    HEADER = "X-Vivavoce-Thread"

    def __init__(self, service: Service, owner: str, name: str | None) -> None:
        """Raises :class:`ProtocolError` for a name that is none."""
        self._service, self._owner = service, owner
        self._seen: Counter[str] = Counter()
        self._items: list[Item] = []
        self._agent: Agent | None = None
        self._name: str | None = None
        self.id: str | None = None
        """Known once its agent is."""
        self.call(name)

    def call(self, name: str | None) -> None:
        """As the request names it; the header counts before all else."""
        if name is None or self._name is not None:
            return
        if not _NAME.fullmatch(name):
            words = "A thread's name has 1 to 64 letters, digits and any of . _ : -"
            raise ProtocolError("invalid_value", words, param=self.HEADER)
        self._name = name

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Vivavoce-Session": self.id} if self.id else {}

    def belongs_to(self, agent: Agent | None) -> None:
        """Whose settings say what is written down. With another agent, the same name is another thread: what a client
        could write into one must not count as said in the other."""
        self._agent = agent
        if self._name is not None:
            self.id = f"sess_{_hash(self._owner, agent.name if agent else '', self._name)}"

    async def spent(self) -> Decimal:
        """US dollars, so far."""
        known = await self._service.store.sessions.find(self.id) if self.id else None
        return known.usd if known else Decimal(0)

    async def known(self) -> set[str]:
        """The ids of what is written down."""
        return {item.id for item in await self._service.store.items.all(self.id)} if self.id else set()

    async def hear(self, words: str) -> None:
        """A recording was recognised: its user says this, and perhaps not for the first time."""
        items = await self._service.store.items.all(self.id) if self.id else []
        self._seen[f"message user {words}"] = sum(item.role == "user" and item.words == words for item in items)
        self.say("user", words)

    async def speak(self, words: str) -> None:
        """These were made to sound. Where they are part of what was said, nothing is new; else they are noted as spoken
        on a client's behalf, which is not what an agent said itself."""
        items = await self._service.store.items.all(self.id) if self.id else []
        if not any(item.role == "assistant" and words.strip() in item.words for item in items):
            content = [{"type": "output_text", "text": words}]
            self._add("message", f"spoken {words}", {"role": "assistant", "content": content}, words)

    def say(self, role: str, words: str, ms: int | None = None) -> str:
        """Somebody says something. Its id."""
        content = [{"type": _WORDS[role], "text": words}]
        return self._add("message", f"{role} {words}", {"role": role, "content": content}, words, ms)

    def call_tool(self, name: str, call_id: str, arguments: str) -> str:
        fields = {"name": name, "call_id": call_id, "arguments": arguments}
        return self._add("function_call", f"{call_id} {name} {arguments}", fields)

    def tool_gave(self, call_id: str, output: str) -> str:
        return self._add("function_call_output", f"{call_id} {output}", {"call_id": call_id, "output": output}, output)

    async def write(self, bill: Response) -> None:
        """What was said since, and what it cost; the sums alone where there is no thread."""
        if self.id is None:
            await self._service.store.usage.add(self._owner, bill)
            return
        items = self._items if self._kept != "off" else []
        change: dict[str, Any] = {"ended_at": bill.ended_at, "end_reason": "It waits for its next turn."}
        if items and items[-1].words:
            change["preview"] = items[-1].words[:PREVIEW]
        if title := next((item.words for item in items if item.role == "user" and item.words), None):
            change["title"] = title
        await self._service.store.ledger.write(
            Batch(
                session_id=self.id,
                owner=self._owner,
                now=bill.ended_at,
                begun=self._session(bill),
                change=change,
                items=items,
                responses=[bill],
            )
        )
        self._items = []

    @property
    def _kept(self) -> str:
        return (self._agent.store if self._agent else None) or self._service.options.store

    def _session(self, bill: Response) -> Session:
        return Session(
            id=self.id or "",
            owner=self._owner,
            kept="off" if self._kept == "off" else "text",
            backend="upstream" if isinstance(self._service.backend, Relays) else "builtin",
            model=bill.model,
            started_at=bill.ended_at,
            kind="thread",
            agent=bill.agent,
        )

    def _add(self, type: str, what: str, fields: Mapping[str, Any], words: str = "", ms: int | None = None) -> str:
        key = f"{type} {what}"
        id = f"item_{_hash(self.id or '', key, str(self._seen[key]))}"
        self._seen[key] += 1
        item = {"id": id, "object": "realtime.item", "type": type, "status": "completed", **fields}
        noted = Item(
            id=id, type=type, item=item, said_at=self._service.now(), ms=ms, words=words, status="completed",
            role=fields.get("role"),
        )  # fmt: skip
        self._items.append(noted)
        return id


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
