"""A session with tools that this server runs: a client's hand, the hub with its filters, and who answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Literal

from tests.engine.support import Hand, Senses
from tests.support.lines import MemoryLine
from vivavoce.access.agents import FIELDS, OWN_ONLY, Agent, Agents
from vivavoce.access.filler import Filler
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import SessionRequest
from vivavoce.backends.upstream.bridge import Bridge
from vivavoce.backends.upstream.line import UpstreamLine
from vivavoce.protocol.frame import Frame, Line
from vivavoce.sessions.bench import Bench
from vivavoce.sessions.filters import Asides, Filter, Observer
from vivavoce.sessions.handoff import Handoff
from vivavoce.sessions.hub import Hub
from vivavoce.sessions.opening import Opening
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.policy import Policy
from vivavoce.sessions.tools import Tools
from vivavoce.tools.interface import Caller, ServerTool

__all__ = ["CITY", "ToolHand", "serving_tools", "tool", "tools_agent"]

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
Work = Callable[[dict[str, Any], Caller], Awaitable[str]]


def tool(name: str, work: Work, *, label: str = "server", **given: Any) -> ServerTool:
    return ServerTool(name=name, label=label, description=f"It is {name}.", parameters=CITY, call=work, **given)


def tools_agent(name: str = "blue", *, filler: Filler | None = None, **given: Any) -> Agent:
    session = {"type": "realtime", "instructions": "Be brief.", **given.pop("session", {})}
    return Agent(name=name, session=session, client_may=frozenset(FIELDS.keys() - OWN_ONLY), filler=filler, **given)


class ToolHand(Hand):
    """A client of the hub; ``told`` is what it was told so far, as plain events."""

    def __init__(self, far: "_Far") -> None:
        super().__init__(far)
        self.hub: Hub

    @property
    def told(self) -> list[dict[str, Any]]:
        return [dict(frame.data) for frame in self.seen]

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [event for event in self.told if event["type"] in types]

    async def write(self, words: str, **response: Any) -> None:
        content = [{"type": "input_text", "text": words}]
        await self.say("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await self.say("response.create", **({"response": response} if response else {}))


class _Far:
    """The far side of the client's line."""

    def __init__(self, line: MemoryLine) -> None:
        self._line = line

    async def receive(self) -> Frame:
        frame = asyncio.create_task(self._line.sent.get())
        try:
            return await frame
        finally:
            frame.cancel()

    async def send(self, frame: Frame) -> None:
        self._line.arrive(frame)
        await asyncio.sleep(0)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._line.hang_up(code, reason)


@asynccontextmanager
async def serving_tools(
    senses: Senses | Line,
    *tools: ServerTool,
    who: Agent | None = None,
    others: Sequence[Agent] = (),
    answers: Literal["builtin", "upstream"] = "builtin",
    media: bool = False,
    context: dict[str, str] | None = None,
    observers: Sequence[Observer] = (),
    **asked: Any,
) -> AsyncIterator[ToolHand]:
    """``upstream`` is the engine again, as another server's session is seen. The hub has ended afterwards."""
    agent, ids, asides = who or tools_agent(), map("event_{}".format, count(1)), Asides()
    everybody = Agents({each.name: each for each in (agent, *others)})
    persona = Persona(agent, everybody, context or {}, lambda _: {each.name: each for each in tools})
    opening = persona.opening(asked)
    answerer = await _open(senses, opening, answers, media) if isinstance(senses, Senses) else senses
    bench = Bench(asides)
    caller = Caller(session="sess_1", owner="local", agent=agent.name, context=context or {})

    def new_id() -> str:
        return next(ids)

    filters: list[Filter] = [
        Policy(persona),
        Opening(persona, asides, new_id),
        Handoff(persona, asides, new_id),
        Tools(persona, lambda: caller, bench, asides, new_id, media=media),
    ]
    client = MemoryLine()
    hub = Hub(client, answerer, new_id=new_id, filters=filters, observers=observers, asides=asides, beside=[bench.run])
    running = asyncio.create_task(hub.run())
    hand = ToolHand(_Far(client))
    hand.hub = hub
    try:
        yield hand
    finally:
        client.hang_up()
        ended = await running
        assert ended.code == 1000, ended


async def _open(senses: Senses, config: dict[str, Any], answers: str, media: bool) -> Line:
    line = await Builtin(senses, lambda: 1_700_000_000.0, early=False).open(
        SessionRequest("sess_1", "gpt-realtime", "realtime", config, media and answers == "builtin")
    )
    if answers == "builtin":
        return line
    ids = map("ours_{}".format, count(1))
    upstream = UpstreamLine(line, new_id=lambda: next(ids))
    return Bridge.open(upstream, lambda prefix: f"{prefix}_{next(ids)}") if media else upstream
