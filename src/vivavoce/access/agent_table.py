"""An agent as its owner writes it down, ``[agents.NAME]`` in TOML, and what becomes of it."""

import difflib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import fields

from vivavoce.access.agents import FIELDS, OWN_ONLY, TRANSFER, Agent, Agents, Kept, reaches
from vivavoce.access.filler import AFTER_SECONDS, Phrases, default_filler, filler
from vivavoce.access.tool_table import ToolError, ToolSpec, is_served, read_tool
from vivavoce.protocol.wire.config import MaxTokens, Modalities, Tool, Transcription, TurnDetection
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape, check, get

__all__ = ["AgentError", "read_agents"]

NAME_CHARACTERS = 48
"""So that ``transfer_to_NAME`` is a name for a function everywhere."""
CAPTIONS = {"model": "gpt-4o-mini-transcribe"}
"""How users see their own words where the owner says nothing of it."""


class AgentError(Exception):
    """What is wrong with an agent, by the name of its field: ``agents.blue.voice``."""


class _Table(Shape):
    description: str = ""
    instructions: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | UnsetType = UNSET
    modalities: Modalities | UnsetType = UNSET
    greeting: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    turn_detection: TurnDetection | Literal[False] | UnsetType = UNSET
    transcription: Transcription | Literal[False] | str | UnsetType = UNSET
    noise_reduction: Literal["near_field", "far_field", False] | UnsetType = UNSET
    tools: list[dict[str, Any] | str] = msgspec.field(default_factory=list)
    filler: Phrases | UnsetType = UNSET
    filler_after: Annotated[float, Meta(gt=0, le=60)] = AFTER_SECONDS
    tool_choice: Literal["auto", "none", "required"] | UnsetType = UNSET
    max_output_tokens: MaxTokens | UnsetType = UNSET
    handoffs: list[str] = msgspec.field(default_factory=list)
    client_may: list[Literal[tuple(FIELDS)]] | UnsetType = UNSET  # type: ignore[valid-type]
    hide_instructions: bool = True
    budget_usd: Annotated[float, Meta(gt=0)] | None = None
    max_minutes: Annotated[float, Meta(gt=0, le=60)] | None = None
    forgiving: bool = False
    store: Kept | None = None
    media: Literal["auto", "direct"] = "auto"


def read_agents(tables: Mapping[str, Any], environ: Mapping[str, str]) -> Agents:
    """Raises :class:`AgentError`. A tool's credential comes from the variable that ``authorization_env`` names."""
    agents = {name: _agent(name, table, environ) for name, table in tables.items()}
    for agent in agents.values():
        for other in agent.handoffs:
            _check_handoff(agent.name, agents.get(other), other)
    return Agents(agents)


def _agent(name: str, written: Any, environ: Mapping[str, str]) -> Agent:
    at = f"agents.{name}"
    if not name.replace("_", "a").replace("-", "a").isalnum() or not name.isascii() or len(name) > NAME_CHARACTERS:
        raise AgentError(f"{at}: an agent's name has letters, digits, - and _, {NAME_CHARACTERS} at most.")
    table = _checked(written, _Table, at)
    tools = [
        _tool(tool, f"{at}.tools[{index}]", environ) for index, tool in enumerate(table.tools) if not is_served(tool)
    ]
    serves = [
        _served(tool, f"{at}.tools[{index}]", environ) for index, tool in enumerate(table.tools) if is_served(tool)
    ]
    if twice := {label for label in map(_label, tools) if [*map(_label, tools)].count(label) > 1}:
        raise AgentError(f"{at}.tools: '{twice.pop()}' is there twice.")
    if serves and table.media == "direct":
        raise AgentError(f"{at}.media: a call that is direct passes this server by, and its tools with it.")
    session = _session(table, tools)
    open_by_default = frozenset(field for field in FIELDS.keys() - OWN_ONLY if not reaches(session, field))
    may = frozenset(get(table.client_may, open_by_default | {"tools"}))
    hearing = session.setdefault("audio", {}).setdefault("input", {})
    hearing.setdefault("transcription", CAPTIONS)
    said = filler(table.filler, table.filler_after)
    return Agent(
        name=name,
        session=session,
        serves=tuple(serves),
        filler=default_filler(session, table.filler_after) if said is UNSET else said,
        description=table.description,
        greeting=table.greeting,
        handoffs=tuple(table.handoffs),
        client_may=may,
        hide_instructions=table.hide_instructions,
        budget_usd=None if table.budget_usd is None else Decimal(str(table.budget_usd)),
        max_minutes=table.max_minutes,
        forgiving=table.forgiving,
        store=table.store,
        insists_on_direct=table.media == "direct",
    )


def _session(table: _Table, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """A session patch of what is written down, in GA's shape."""
    session: dict[str, Any] = {"type": "realtime"}
    for name in ("instructions", "model", "tool_choice", "max_output_tokens"):
        _put(session, name, getattr(table, name))
    _put(session, "output_modalities", table.modalities)
    hearing: dict[str, Any] = {}
    _put(hearing, "turn_detection", table.turn_detection)
    words = table.transcription
    _put(hearing, "transcription", {"model": words} if isinstance(words, str) else words)
    noise = table.noise_reduction
    _put(hearing, "noise_reduction", {"type": noise} if isinstance(noise, str) else noise)
    speaking: dict[str, Any] = {}
    _put(speaking, "voice", table.voice)
    _put(speaking, "speed", table.speed)
    audio = {way: patch for way, patch in (("input", hearing), ("output", speaking)) if patch}
    return session | ({"audio": audio} if audio else {}) | ({"tools": tools} if tools else {})


def _put(patch: dict[str, Any], name: str, value: Any) -> None:
    """``false`` in TOML, which has no null, switches off."""
    if value is not UNSET:
        patch[name] = None if value is False else msgspec.to_builtins(value)


def _tool(written: Any, at: str, environ: Mapping[str, str]) -> dict[str, Any]:
    tool = dict(written)
    if variable := tool.pop("authorization_env", None):
        if not environ.get(str(variable)):
            raise AgentError(f"{at}.authorization_env: the variable {variable} is not set.")
        tool["authorization"] = environ[str(variable)]
    elif "authorization" in tool:
        raise AgentError(f"{at}.authorization: a credential belongs in the environment; name its variable in "
                         "authorization_env.")  # fmt: skip
    _checked(tool, Tool, at)
    if str(tool.get("name", "")).startswith(TRANSFER):
        raise AgentError(f"{at}.name: names that begin with {TRANSFER} are for handoffs.")
    return tool


def _served(written: Any, at: str, environ: Mapping[str, str]) -> ToolSpec:
    try:
        return read_tool(written, at, environ)
    except ToolError as error:
        raise AgentError(str(error)) from None


def _label(tool: Mapping[str, Any]) -> str:
    return str(tool.get("name") or tool.get("server_label"))


def _check_handoff(name: str, other: Agent | None, called: str) -> None:
    at = f"agents.{name}.handoffs"
    if other is None:
        raise AgentError(f"{at}: there is no agent '{called}'.")
    if called == name:
        raise AgentError(f"{at}: an agent does not hand over to itself.")
    if "instructions" not in other.session:
        raise AgentError(f"agents.{called}.instructions: an agent that is handed over to needs instructions.")


def _checked(value: Any, shape: Any, at: str) -> Any:
    try:
        return check(value, shape, at)
    except ProtocolError as error:
        if error.code != "unknown_parameter":
            raise AgentError(error.message) from None
        name = (error.param or at).rpartition(".")[2]
        near = difflib.get_close_matches(name, [each.name for each in fields(_Table)], 1) if shape is _Table else []
        hint = f"; did you mean '{near[0]}'?" if near else "."
        raise AgentError(f"{error.param} is no field of an agent{hint}") from None
