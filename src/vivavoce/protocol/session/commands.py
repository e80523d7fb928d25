"""What a session asks of its driver (:data:`Command`).

A session holds no audio: it speaks of spans of the input, counted in 24 kHz samples from the start of
the session, and of samples of an item. The driver has the bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vivavoce.protocol.session.items import Item
from vivavoce.protocol.wire.config import Format, FunctionTool, McpTool, ToolChoice, Transcription

__all__ = [
    "RATE", "CallMcp", "Cancel", "Close", "Command", "Context", "Doubted", "FlushPlayback", "Forget", "HoldPlayback",
    "Import", "ListMcp", "MayEnd", "McpFunction", "Retrieve", "Span", "Start", "Transcribe", "Trim", "Turn", "WentOn",
    "to_ms", "to_samples",
]  # fmt: skip

RATE = 24_000
"""Samples a second of every position and length in the core."""


def to_ms(samples: int) -> int:
    """Whole milliseconds, as the wire counts (E-23)."""
    return samples * 1000 // RATE


def to_samples(ms: int) -> int:
    return ms * RATE // 1000


@dataclass(frozen=True, slots=True)
class Span:
    """Input from sample ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn under way, or a voice over an answer that may become one."""

    item_id: str
    span: Span
    """From its beginning to what was heard of it."""
    quiet: bool
    """Whether the speaker pauses."""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The span has become the audio of this user item: keep it under the item's id, and recognise it."""

    item_id: str
    span: Span
    hints: Transcription | None
    silent_since: float | None = None
    """When the speaker fell silent, of a turn that ended by itself."""


@dataclass(frozen=True, slots=True)
class Import:
    """A client put a whole recording into a user item: the same as :class:`Transcribe`, the bytes being
    base64 in the input format."""

    item_id: str
    content_index: int
    audio: str
    format: Format
    hints: Transcription | None


@dataclass(frozen=True, slots=True)
class MayEnd:
    """The speaker has paused. Where ``wanted``, the end of the turn waits for ``Session.endpoint``; else it
    is advice to begin work early. No event tells of it."""

    item_id: str
    span: Span
    wanted: bool


@dataclass(frozen=True, slots=True)
class WentOn:
    """After :class:`MayEnd`: the speaker did not stop."""

    item_id: str
    heard: int
    """Up to here the input is known; there is voice again just before it."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """A short sound over an answer: find out whether its words want the floor, and answer with ``Session.judged``.
    The item will be its turn, should it be one."""

    item_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class McpFunction:
    """A tool of an MCP server, as a mind may call it."""

    server_label: str
    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema."""


@dataclass(frozen=True, slots=True)
class ListMcp:
    """Ask this MCP server what it offers, and answer with ``Session.mcp_listed``."""

    tool: McpTool


@dataclass(frozen=True, slots=True)
class CallMcp:
    """Call a tool of this server, and answer with ``Session.mcp_result``."""

    response_id: str
    item_id: str
    tool: McpTool
    name: str
    arguments: str
    """A JSON text."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a mind and a voice need for one response."""

    instructions: str
    items: tuple[Item, ...]
    """In order. The words of a user's audio may arrive in them later: wait for those recognitions."""
    tools: tuple[FunctionTool, ...]
    mcp: tuple[McpFunction, ...]
    tool_choice: ToolChoice
    modality: str
    """``audio`` or ``text``."""
    voice: str
    speed: float
    format: Format
    max_output_tokens: int | None
    language: str | None = None
    """That of the session: who is heard in German is answered in German (S-26)."""


@dataclass(frozen=True, slots=True)
class Start:
    """Make this response, or after MCP calls go on with it: give its parts to ``Session.model`` under
    ``response_id``."""

    response_id: str
    context: Context


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop making this response, MCP calls included. What still arrives for it is dropped."""

    response_id: str


@dataclass(frozen=True, slots=True)
class FlushPlayback:
    """On a media track: nothing more of this item may be heard. Stands before the events that tell of it."""

    item_id: str


@dataclass(frozen=True, slots=True)
class HoldPlayback:
    """On a media track: stand still from here (``on``), or go on from where it stood."""

    on: bool


@dataclass(frozen=True, slots=True)
class Trim:
    """Keep only the first ``samples`` of an assistant item's audio."""

    item_id: str
    samples: int


@dataclass(frozen=True, slots=True)
class Forget:
    """The item is gone, and its audio with it."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Send this event, once ``data["item"]["content"][index]["audio"]`` holds the item's audio in base64
    for each of ``audio_parts``."""

    event: dict[str, Any]
    item_id: str
    audio_parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection after what was sent before this."""

    code: int
    reason: str


Command = (
    Transcribe | Import | MayEnd | WentOn | Doubted | ListMcp | CallMcp | Start | Cancel | FlushPlayback | HoldPlayback
    | Trim | Forget | Retrieve | Close
)  # fmt: skip
