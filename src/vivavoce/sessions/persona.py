"""Which agent a session speaks as, and with which tools: what policy and handoffs share, one for each session."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vivavoce.access import context as contexts
from vivavoce.access.agents import TRANSFER, Agent, Agents, permitted
from vivavoce.access.tools import Tool, as_servers, merged, shown
from vivavoce.protocol.wire.overlay import laid_over
from vivavoce.tools.interface import ServerTool

__all__ = ["Persona", "discreet"]


@dataclass(slots=True)
class Persona:
    """Changes when the agent hands over, or a client brings other tools."""

    agent: Agent
    agents: Agents
    context: Mapping[str, str] = field(default_factory=dict)
    """What the page told of itself."""
    serves: Callable[[Agent], Mapping[str, ServerTool]] = field(default=lambda agent: {}, repr=False)
    """The tools that this server runs for an agent, by name."""
    theirs: list[Tool] = field(default_factory=list)
    """The client's own tools."""
    session: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As whoever answers told it last."""

    @property
    def served(self) -> Mapping[str, ServerTool]:
        """The tools that this server runs just now."""
        return self.serves(self.agent)

    @property
    def own(self) -> list[Tool]:
        """The agent's tools, those that this server runs, and one for each agent that it may hand over to."""
        transfers = [_transfer(self.agents[name]) for name in self.agent.handoffs]
        served = [tool.definition() for tool in self.served.values()]
        return [*self.agent.session.get("tools", ()), *served, *transfers]

    @property
    def instructions(self) -> str | None:
        """With what the page told in its places; None where the agent leaves them to the server."""
        given = self.agent.session.get("instructions")
        return None if given is None else contexts.filled(given, self.context)[0]

    @property
    def untold(self) -> dict[str, str]:
        """The page context that the instructions have no place for."""
        return contexts.filled(self.agent.session.get("instructions") or "", self.context)[1]

    def opening(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The session patch to begin with, where the client asks for this. Raises :class:`ProtocolError`."""
        kept = self.update(asked, self.agent.session, "session")
        begun = laid_over(self.configuration(), kept)
        if tools := self.tools:
            begun["tools"] = tools
        return begun

    def update(self, patch: Mapping[str, Any], current: Mapping[str, Any], within: str) -> dict[str, Any]:
        """What is left of a client's patch, its tools beside the agent's and remembered. All or nothing of it holds.
        Raises :class:`ProtocolError`."""
        kept = permitted(self.agent, _without(patch, "tools"), current, within)
        if (asked := patch.get("tools")) is not None:
            own = self.own
            tools = merged(self.agent, own, asked, f"{within}.tools", self.labels)
            kept["tools"] = tools
            if within == "session":
                self.theirs = tools[len(own) :]
        return kept

    @property
    def labels(self) -> dict[str, str]:
        """Under which label clients see each of the tools that this server runs."""
        return {name: tool.label for name, tool in self.served.items()}

    @property
    def tools(self) -> list[Tool]:
        return [*self.own, *self.theirs]

    def configuration(self) -> dict[str, Any]:
        """The agent's own session patch, its tools aside."""
        patch = _without(self.agent.session, "tools")
        if (instructions := self.instructions) is not None:
            patch["instructions"] = instructions
        return {"type": "realtime", **patch}

    def shown(self, session: Mapping[str, Any]) -> dict[str, Any]:
        """A session as its clients may see it."""
        told = discreet(session, self.own)
        if isinstance(tools := told.get("tools"), list):
            told["tools"] = as_servers(tools, self.labels)
        if self.agent.hide_instructions and "instructions" not in self.agent.client_may and "instructions" in told:
            told["instructions"] = ""
        return told


def discreet(session: Mapping[str, Any], own: Sequence[Tool] = ()) -> dict[str, Any]:
    """Without the credentials of MCP servers; of our ``own`` tools' servers without their addresses too."""
    labels = {tool.get("server_label") for tool in own} - {None}
    tools = session.get("tools")
    if not isinstance(tools, list):
        return dict(session)
    return {**session, "tools": [shown(tool, own=tool.get("server_label") in labels) for tool in tools]}


def _transfer(agent: Agent) -> Tool:
    about = f" {agent.description}" if agent.description else ""
    return {
        "type": "function",
        "name": f"{TRANSFER}{agent.name}",
        "description": f"Hand the conversation over to the agent '{agent.name}'.{about}",
        "parameters": {"type": "object", "properties": {}},
    }


def _without(patch: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in patch.items() if key != name}
