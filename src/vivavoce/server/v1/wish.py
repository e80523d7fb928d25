"""From what came with a request to the session that it asks for: key, query, body and agent each have a say."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from vivavoce.access import context as contexts
from vivavoce.access.agents import Agent, Agents
from vivavoce.access.principal import Principal
from vivavoce.backends.interface import Kind, SessionRequest
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over
from vivavoce.server.service import Service
from vivavoce.server.v1.claim import Claim
from vivavoce.sessions.persona import Persona, discreet

__all__ = ["Wanted", "wish"]

MAX_MODEL = 256
"""Characters in a model's name."""
_BY_MODEL = "agent:"
"""A model's name that begins like this names an agent, for clients that can say nothing else."""


class GoesOn(NamedTuple):
    """A conversation whose session is no more."""

    record: str
    """The id that it has in the store, and keeps."""
    claim: Claim
    """By what its client came back."""
    missing: Sequence[str]
    """What could not be restored, by names that are documented."""
    seconds: float = 0.0
    """From its beginning to what was said last."""
    usd: Decimal = Decimal(0)
    """What it has cost."""


class Wanted(NamedTuple):
    request: SessionRequest
    principal: Principal
    persona: Persona | None
    """Who speaks, where an agent was chosen, page context was given or this server has tools."""
    asked: Mapping[str, Any]
    """What the client asked for itself: a key that it mints stands for this."""

    goes_on: "GoesOn | None" = None
    """What it goes on with, where it is not new."""

    @property
    def agent(self) -> str | None:
        return self.persona.agent.name or None if self.persona else None

    def shown(self, session: Mapping[str, Any]) -> dict[str, Any]:
        """A session as the client may see it."""
        return self.persona.shown(session) if self.persona else discreet(session)


def wish(
    service: Service,
    principal: Principal,
    query: Mapping[str, str],
    session: Mapping[str, Any] | None = None,
    *,
    media: bool = False,
) -> Wanted:
    """``session`` is the one in the body, with ``agent``, ``context`` and ``forgiving`` among its keys where they were
    given. It is laid over the one that the key stands for; the model of either is worth more than the query's. Raises
    :class:`ProtocolError`."""
    asked = laid_over(principal.grant.config if principal.grant else {}, session or {})
    model, named = _model_or_agent(asked, query)
    agent = _agent(service.options.agents, principal, named)
    context = contexts.read(given) if (given := asked.pop("context", None)) is not None else {}
    forgiving = _forgiving(asked.pop("forgiving", None), query)
    kind: Kind = "transcription" if asked.get("type", query.get("intent")) == "transcription" else "realtime"
    if agent and kind == "transcription":
        raise ProtocolError("field_locked", "An agent's session is a conversation.", param="session.type")
    persona = None
    config: Mapping[str, Any] = asked
    who = agent or Agent(name="")
    served = kind == "realtime" and bool(service.toolbox.of(who))
    if kind == "realtime" and (agent or context or served):
        persona = Persona(who, service.options.agents, context, service.toolbox.of)
        config = persona.opening(asked)
        model = config.get("model") or (model if "model" in persona.agent.client_may else None)
    request = SessionRequest(
        service.new_id("sess_"),
        _checked(model or service.options.model),
        kind,
        config or None,
        media,
        guarded=principal.kind == "share" or served or (persona is not None and persona.agent.watched),
        forgiving=bool(agent and agent.forgiving) if forgiving is None else forgiving,
        upstream_key=principal.upstream_key,
    )
    ours = ({"context": context} if context else {}) | ({} if forgiving is None else {"forgiving": forgiving})
    return Wanted(request, principal, persona, asked | ours)


def _model_or_agent(asked: dict[str, Any], query: Mapping[str, str]) -> tuple[Any, Any]:
    """What is asked for by name; neither is left in ``asked`` that is not a session's own."""
    named = asked.pop("agent", None) or query.get("agent")
    model = asked.get("model") or query.get("model")
    if isinstance(model, str) and model.startswith(_BY_MODEL):
        asked.pop("model", None)
        return None, named or model.removeprefix(_BY_MODEL)
    return model, named


def _agent(agents: Agents, principal: Principal, named: Any) -> Agent | None:
    if not isinstance(named, str | None):
        raise ProtocolError("invalid_type", "An agent is chosen by its name.", param="agent")
    if principal.agent and named not in (None, principal.agent):
        raise ProtocolError("field_locked", "What you came with is for another agent.", param="agent")
    name = principal.agent or named
    return agents[name] if name else agents.default


def _forgiving(asked: Any, query: Mapping[str, str]) -> bool | None:
    """None where the client says nothing of it."""
    given = query.get("forgiving") if asked is None else asked
    if given not in (None, True, False, "true", "false"):
        raise ProtocolError("invalid_type", "'forgiving' is true or false.", param="forgiving")
    return None if given is None else given in (True, "true")


def _checked(model: Any) -> str:
    if not isinstance(model, str) or len(model) > MAX_MODEL:
        raise ProtocolError("invalid_value", "A model's name is a short text.", param="session.model")
    return model
