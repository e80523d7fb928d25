"""The configuration of a session (protocol reference: ``RealtimeSessionCreateRequestGA`` and
``RealtimeTranscriptionSessionCreateRequestGA``), as clients send it and the server echoes it."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from vivavoce.protocol.wire.shape import Shape, get

__all__ = [
    "Audio", "AudioInput", "AudioOutput", "CustomVoice", "Format", "FunctionChoice", "FunctionTool", "McpChoice",
    "McpTool", "NoiseReduction", "Pcm", "Pcma", "Pcmu", "Prompt", "RealtimeConfig", "Reasoning", "SemanticVad",
    "ServerVad", "Tool", "ToolChoice", "Transcription", "TranscriptionConfig", "TurnDetection", "Voice",
]  # fmt: skip

# Audio formats (S-10) -------------------------------------------------------------------------------


class Pcm(Shape, tag_field="type", tag="audio/pcm"):
    """16-bit little-endian mono."""

    rate: Literal[24000] = 24000


class Pcmu(Shape, tag_field="type", tag="audio/pcmu"):
    """G.711 µ-law at 8 kHz."""


class Pcma(Shape, tag_field="type", tag="audio/pcma"):
    """G.711 A-law at 8 kHz."""


Format = Pcm | Pcmu | Pcma

# Turn detection (S-17 to S-19) ----------------------------------------------------------------------

Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]


class ServerVad(Shape, tag_field="type", tag="server_vad"):
    threshold: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    prefix_padding_ms: Milliseconds | UnsetType = UNSET
    silence_duration_ms: Milliseconds | UnsetType = UNSET
    idle_timeout_ms: Annotated[int, Meta(ge=5000, le=30_000)] | None | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


class SemanticVad(Shape, tag_field="type", tag="semantic_vad"):
    eagerness: Literal["auto", "low", "medium", "high"] | UnsetType = UNSET
    create_response: bool | UnsetType = UNSET
    interrupt_response: bool | UnsetType = UNSET


TurnDetection = ServerVad | SemanticVad

# Input and output -----------------------------------------------------------------------------------


class Transcription(Shape):
    """S-26. Which words the user hears of themselves; the engine recognises speech in any case."""

    model: str | UnsetType = UNSET
    language: str | None | UnsetType = UNSET
    prompt: str | None | UnsetType = UNSET
    languages: list[str] | None | UnsetType = UNSET
    keywords: list[str] | None | UnsetType = UNSET
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None | UnsetType = UNSET

    @property
    def spoken(self) -> str | None:
        """The language, the first of several; None where the client names none."""
        return get(self.language, None) or next(iter(get(self.languages, None) or ()), None)


class NoiseReduction(Shape):
    type: Literal["near_field", "far_field"]
    strength: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET


class AudioInput(Shape):
    format: Format | UnsetType = UNSET
    transcription: Transcription | None | UnsetType = UNSET
    noise_reduction: NoiseReduction | None | UnsetType = UNSET
    turn_detection: TurnDetection | bool | None | UnsetType = UNSET

    def __post_init__(self) -> None:
        """One client of many years says ``false`` for null."""
        if self.turn_detection is False:
            self.turn_detection = None
        elif self.turn_detection is True:
            raise ValueError("'turn_detection' is an object or null")


class CustomVoice(Shape):
    id: str


Voice = str | CustomVoice


class AudioOutput(Shape):
    format: Format | UnsetType = UNSET
    voice: Voice | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | UnsetType = UNSET


class Audio(Shape):
    input: AudioInput | UnsetType = UNSET
    output: AudioOutput | UnsetType = UNSET


# Tools (S-31, S-32) ---------------------------------------------------------------------------------


class FunctionTool(Shape, tag_field="type", tag="function"):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    description: str | None | UnsetType = UNSET
    parameters: dict[str, Any] | None | UnsetType = UNSET
    strict: bool | None | UnsetType = UNSET  # no field of this API, yet official agents SDKs send it (E-58)


class McpToolFilter(Shape):
    tool_names: list[str] | UnsetType = UNSET
    read_only: bool | UnsetType = UNSET


class McpApproval(Shape):
    always: McpToolFilter | UnsetType = UNSET
    never: McpToolFilter | UnsetType = UNSET


class McpTool(Shape, tag_field="type", tag="mcp"):
    server_label: str
    server_url: str | None | UnsetType = UNSET
    connector_id: str | None | UnsetType = UNSET
    tunnel_id: str | None | UnsetType = UNSET
    authorization: str | None | UnsetType = UNSET
    headers: dict[str, str] | None | UnsetType = UNSET
    allowed_tools: list[str] | McpToolFilter | None | UnsetType = UNSET
    require_approval: Literal["always", "never"] | McpApproval | None | UnsetType = UNSET
    server_description: str | None | UnsetType = UNSET
    defer_loading: bool | None | UnsetType = UNSET


Tool = FunctionTool | McpTool


class FunctionChoice(Shape, tag_field="type", tag="function"):
    name: str


class McpChoice(Shape, tag_field="type", tag="mcp"):
    server_label: str
    name: str | None | UnsetType = UNSET


ToolChoice = Literal["none", "auto", "required"] | FunctionChoice | McpChoice

# The rest -------------------------------------------------------------------------------------------

MaxTokens = Annotated[int, Meta(ge=1, le=4096)] | Literal["inf"]
Modalities = Annotated[list[Literal["text", "audio"]], Meta(min_length=1, max_length=1)]
"""Both together is an error (S-02)."""


class TokenLimits(Shape):
    post_instructions: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class RetentionRatio(Shape):
    type: Literal["retention_ratio"]
    retention_ratio: Annotated[float, Meta(ge=0, le=1)]
    token_limits: TokenLimits | None | UnsetType = UNSET


class TracingConfig(Shape):
    workflow_name: str | UnsetType = UNSET
    group_id: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class Prompt(Shape):
    id: str
    version: str | None | UnsetType = UNSET
    variables: dict[str, Any] | None | UnsetType = UNSET


class Reasoning(Shape):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | UnsetType = UNSET


Include = list[Literal["item.input_audio_transcription.logprobs"]]


class RealtimeConfig(Shape, tag_field="type", tag="realtime"):
    """A conversation."""

    model: str | UnsetType = UNSET
    output_modalities: Modalities | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    tools: list[Tool] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    max_output_tokens: MaxTokens | UnsetType = UNSET
    tracing: Literal["auto"] | TracingConfig | None | UnsetType = UNSET
    truncation: Literal["auto", "disabled"] | RetentionRatio | UnsetType = UNSET
    prompt: Prompt | None | UnsetType = UNSET
    audio: Audio | UnsetType = UNSET
    include: Include | None | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    reasoning: Reasoning | None | UnsetType = UNSET


class TranscriptionAudio(Shape):
    input: AudioInput | UnsetType = UNSET


class TranscriptionConfig(Shape, tag_field="type", tag="transcription"):
    """Speech to text alone: never a response (S-44)."""

    audio: TranscriptionAudio | UnsetType = UNSET
    include: Include | None | UnsetType = UNSET
