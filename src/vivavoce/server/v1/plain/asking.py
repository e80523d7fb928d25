"""What a plain request asks for once its agent has had its say: the same rules as for a session, in chat's words."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vivavoce.access import context as contexts
from vivavoce.access.agents import TRANSFER, Agent, at
from vivavoce.access.principal import Principal
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.service import Service
from vivavoce.server.v1.wish import wish

__all__ = ["Asked", "asked", "is_agent"]

Json = Mapping[str, Any]

BY_MODEL = "agent:"
_OURS = {"session.max_output_tokens": "max_completion_tokens", "session.audio.output": "voice"}


class Asked(NamedTuple):
    agent: Agent | None
    instructions: str
    """The agent's own, with what the page told in their places; empty where it has none."""
    session: Json
    """The rest, as a session patch in GA's shape."""
    model: str | None
    """That the client may choose and did, or that the agent has; None where neither."""

    @property
    def tools(self) -> list[Json]:
        """Functions of the agent and of the client. MCP servers and handovers need a session."""
        tools: Sequence[Json] = self.session.get("tools") or ()
        return [
            tool for tool in tools if tool.get("type") == "function" and not str(tool.get("name")).startswith(TRANSFER)
        ]

    @property
    def voice(self) -> Any:
        return at(self.session, "audio.output.voice")

    @property
    def speed(self) -> Any:
        return at(self.session, "audio.output.speed")

    def may(self, name: str) -> bool:
        """Whether the client may set what ``client_may`` calls ``name``."""
        return self.agent is None or not self.agent.locked or name in self.agent.client_may


def is_agent(model: str) -> bool:
    return model.startswith(BY_MODEL)


def asked(
    service: Service, principal: Principal, model: str, session: Json, agent: Any = None, context: Any = None
) -> Asked:
    """``session`` is what the client asks for, as a session patch. Raises :class:`ProtocolError` for what is locked."""
    wanted: dict[str, Any] = {"type": "realtime", **session}
    wanted |= {name: value for name, value in (("agent", agent), ("context", context)) if value is not None}
    if is_agent(model):
        wanted["model"] = model
    try:
        found = wish(service, principal, {}, wanted)
    except ProtocolError as error:
        param = error.param or ""
        error.param = _OURS.get(param, param.removeprefix("session.")) or None
        raise
    config, persona = found.request.config or {}, found.persona
    who = persona.agent if persona and persona.agent.name else None
    chosen = None if is_agent(model) else model or None
    instructions = str(config.get("instructions") or "") if persona else ""
    if persona and (untold := persona.untold):
        instructions = f"{instructions}\n\n{contexts.item(untold, '')['content'][0]['text']}".strip()
    told = Asked(who, instructions, config, None)
    return told._replace(model=chosen if told.may("model") else None)
