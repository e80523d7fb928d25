"""An agent: a named preset of a session, and what a client may change of it.

What the owner wrote down is locked unless ``client_may`` says otherwise; what was left open is the client's. The rule
is the same wherever a client speaks: when it mints a key, places a call, updates a session or asks for an answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from vivavoce.access.filler import Filler
from vivavoce.access.tool_table import ToolSpec
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over

__all__ = [
    "DEFAULT",
    "FIELDS",
    "OWN_ONLY",
    "TRANSFER",
    "Agent",
    "Agents",
    "Kept",
    "UnknownAgent",
    "at",
    "permitted",
    "reaches",
]

Kept = Literal["off", "text", "audio"]
"""What is written down of a session: nothing of what is said, its words, or its sound too. What it used and cost is
counted in any case."""

DEFAULT: Final = "default"
"""The agent of this name is everybody's who names none."""
TRANSFER: Final = "transfer_to_"
"""The tool that hands over to another agent is called this and the agent's name."""

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "instructions": ("instructions", "prompt"),
    "model": ("model",),
    "voice": ("audio.output.voice",),
    "speed": ("audio.output.speed",),
    "modalities": ("output_modalities",),
    "formats": ("audio.input.format", "audio.output.format"),
    "turn_detection": ("audio.input.turn_detection",),
    "transcription": ("audio.input.transcription", "include"),
    "noise_reduction": ("audio.input.noise_reduction",),
    "tools": ("tools",),
    "mcp": (),
    "tool_choice": ("tool_choice", "parallel_tool_calls"),
    "max_output_tokens": ("max_output_tokens",),
    "reasoning": ("reasoning",),
    "truncation": ("truncation",),
    "tracing": ("tracing",),
    "history": (),
}
"""What ``client_may`` can name, and where it lies in a session. ``tools`` are functions of the client's own, beside the
agent's; ``mcp`` servers among them; ``history`` is every item but a user's message and the output of a call."""

OWN_ONLY: Final = frozenset(
    {"instructions", "model", "mcp", "tool_choice", "max_output_tokens", "reasoning", "truncation", "history"}
)
"""Locked even where the agent does not set them, unless ``client_may`` names them."""

_NAMES = {path: name for name, paths in FIELDS.items() for path in paths}
_INNER = {path.rsplit(".", depth)[0] for path in _NAMES for depth in range(1, path.count(".") + 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    name: str
    session: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """A session patch in GA's shape, ``type`` among its keys; its tools may hold credentials."""
    description: str = ""
    """For people, and for the agents that may hand over to this one."""
    greeting: str | None = None
    """What the agent says first."""
    handoffs: tuple[str, ...] = ()
    client_may: frozenset[str] = frozenset(FIELDS)
    hide_instructions: bool = True
    budget_usd: Decimal | None = None
    """What one session may cost."""
    max_minutes: float | None = None
    """How long one session may last."""
    store: Kept | None = None
    """What is kept of its sessions; None is what the server keeps of all."""
    serves: tuple[ToolSpec, ...] = ()
    """Tools that this server runs, beside those in ``session``."""
    filler: Filler | None = None
    """What it says while one of them takes long, unless the tool says otherwise."""
    forgiving: bool = False
    """Its sessions doubt a short sound over an answer, where the client does not say otherwise."""
    insists_on_direct: bool = False
    """The owner knows that nothing of this holds on a call whose media and events pass us by."""

    @property
    def locked(self) -> bool:
        return not self.client_may >= FIELDS.keys()

    @property
    def watched(self) -> bool:
        """Whether every event of its sessions has to pass through this server."""
        steered = self.locked or self.handoffs or self.greeting or self.serves or self.budget_usd is not None
        return bool(steered) and not self.insists_on_direct


class UnknownAgent(ProtocolError):
    def __init__(self, name: str) -> None:
        super().__init__("agent_not_found", f"There is no agent '{name[:64]}' here.", param="agent")


class Agents:
    """Those of one server."""

    def __init__(self, agents: Mapping[str, Agent] | None = None) -> None:
        self._agents = dict(agents or {})

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    @property
    def default(self) -> Agent | None:
        return self._agents.get(DEFAULT)

    def __getitem__(self, name: str) -> Agent:
        """Raises :class:`UnknownAgent`."""
        try:
            return self._agents[name]
        except KeyError:
            raise UnknownAgent(name) from None


def permitted(agent: Agent, patch: Mapping[str, Any], current: Mapping[str, Any], within: str) -> dict[str, Any]:
    """``patch`` without what says nothing new: a locked field that has the value of ``current``, empty instructions, a
    model (S-16). Raises :class:`ProtocolError` for any other locked field, and for one that is not known; ``within``
    (``session``, ``response``) is where the patch lies. Tools are not looked at, see ``tools.py``."""
    return _permitted(agent, patch, current, within, "")


def _permitted(agent: Agent, patch: Mapping[str, Any], current: Any, within: str, path: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in patch.items():
        inner = f"{path}.{key}".lstrip(".")
        before = current.get(key) if isinstance(current, Mapping) else None
        if inner in _INNER and isinstance(value, Mapping):
            kept[key] = _permitted(agent, value, before, within, inner)
        elif inner == "type" or not agent.locked or _NAMES.get(inner) in agent.client_may:
            kept[key] = value
        elif inner != "model" and not _says_nothing(inner, value, before):
            raise _locked(f"{within}.{inner}")
    return kept


def _says_nothing(path: str, value: Any, before: Any) -> bool:
    """Official SDKs send whole sessions, and empty instructions where they were given none."""
    if isinstance(value, Mapping) and isinstance(before, Mapping):
        return laid_over(before, value) == before
    return bool(value == before or (path == "instructions" and not value))


def _locked(param: str) -> ProtocolError:
    return ProtocolError("field_locked", f"The owner of this agent has fixed '{param}'; leave it out.", param=param)


def at(session: Mapping[str, Any], path: str) -> Any:
    """What lies in a session at a dotted path; None where there is nothing."""
    found: Any = session
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def reaches(session: Mapping[str, Any], name: str) -> bool:
    """Whether this session patch sets the field that ``client_may`` calls ``name``."""
    return any(at(session, path) is not None for path in FIELDS[name])
