"""A session of an agent, by hand: what a client says and what whoever answers says, through the agent's filters."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from vivavoce.access.agents import FIELDS, OWN_ONLY, Agent, Agents
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.config import Defaults, Settings, echo, initial
from vivavoce.sessions.filters import Asides, Filter
from vivavoce.sessions.handoff import Handoff
from vivavoce.sessions.opening import Opening
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.policy import Policy

__all__ = ["INSTRUCTIONS", "TOOL", "Staged", "agent"]

INSTRUCTIONS = "You are Blue, and the password is swordfish."
TOOL = {"type": "function", "name": "look_up", "description": "Looks it up.", "parameters": {"type": "object"}}


def agent(name: str = "blue", *, may: Sequence[str] = (), **given: Any) -> Agent:
    """Locked in everything that is locked by default, and in its instructions and tools."""
    session = {"type": "realtime", "instructions": INSTRUCTIONS, "tools": [TOOL], **given.pop("session", {})}
    free = (FIELDS.keys() - OWN_ONLY) | set(may)
    return Agent(name=name, session=session, client_may=frozenset(free), **given)


class Staged:
    """One session of ``agent``, its filters in their order. ``ask`` gives what gets through to who answers, ``tell``
    what gets through to the client, ``asides`` what was said of our own accord since the last time."""

    def __init__(self, who: Agent, *others: Agent, context: dict[str, str] | None = None, **asked: Any) -> None:
        agents = Agents({each.name: each for each in (who, *others)})
        ids = map("event_{}".format, count(1))
        self._asides = Asides()
        self.persona = Persona(who, agents, context or {})
        self.opening = self.persona.opening(asked)
        shared = (self.persona, self._asides, lambda: next(ids))
        self._filters: list[Filter] = [Policy(self.persona), Opening(*shared), Handoff(*shared)]
        config = initial(self.opening, Defaults())
        session = echo(config, Settings("sess_1", "gpt-realtime", 3600))
        self.created = self.tell("session.created", session=session)[0]

    def ask(self, type: str, *, origin: str = "", **fields: Any) -> list[dict[str, Any]]:
        frames = [Frame(type, {"type": type, **fields}, origin=origin)]
        for each in self._filters:
            frames = [passed for frame in frames for passed in each.inward(frame)]
        return [dict(frame.data) for frame in frames]

    def tell(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        frames = [Frame(type, {"type": type, "event_id": "event_0", **fields})]
        for each in reversed(self._filters):
            frames = [passed for frame in frames for passed in each.outward(frame)]
        return [dict(frame.data) for frame in frames]

    async def asides(self, number: int) -> list[dict[str, Any]]:
        return [dict((await self._asides.next()).data) for _ in range(number)]
