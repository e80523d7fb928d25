"""The eleven client events of the GA API (E-02 to E-12), with the items and response parameters they carry."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.protocol.wire.config import (
    Format,
    MaxTokens,
    Modalities,
    Prompt,
    RealtimeConfig,
    Reasoning,
    Tool,
    ToolChoice,
    TranscriptionConfig,
    Voice,
)  # fmt: skip
from vivavoce.protocol.wire.shape import EventId, Metadata, Shape

__all__ = [
    "CLIENT_EVENTS", "Append", "Cancel", "Clear", "ClearOutput", "ClientEvent", "Commit", "Content", "CreateItem",
    "CreateResponse", "DeleteItem", "FunctionCall", "FunctionCallOutput", "InputAudio", "InputImage", "InputText",
    "ItemReference", "McpApprovalRequest", "McpApprovalResponse", "McpCall", "McpListTools", "Message", "NewItem",
    "OutputAudio", "OutputText", "ResponseParams", "RetrieveItem", "TruncateItem", "UpdateSession",
]  # fmt: skip

# Items (E-34 to E-38) -------------------------------------------------------------------------------

OptionalId = Annotated[str, Meta(min_length=1, max_length=512)] | None | UnsetType
"""OpenAI stops at 32 characters; its own approval sample is longer, so longer ids are taken (E-38)."""


class InputText(Shape, tag_field="type", tag="input_text"):
    text: str


class InputAudio(Shape, tag_field="type", tag="input_audio"):
    audio: str | None | UnsetType = UNSET
    transcript: str | None | UnsetType = UNSET


class InputImage(Shape, tag_field="type", tag="input_image"):
    image_url: str
    detail: Literal["auto", "low", "high"] | None | UnsetType = UNSET


class OutputText(Shape, tag_field="type", tag="output_text"):
    text: str


class OutputAudio(Shape, tag_field="type", tag="output_audio"):
    """Taken for its transcript: assistant *audio* cannot be put in (E-39)."""

    transcript: str | None | UnsetType = UNSET
    audio: str | None | UnsetType = UNSET


Content = InputText | InputAudio | InputImage | OutputText | OutputAudio


class _Item(Shape, tag_field="type", kw_only=True):
    id: OptionalId = UNSET
    object: Literal["realtime.item"] | None | UnsetType = UNSET
    status: Literal["completed", "incomplete", "in_progress"] | None | UnsetType = UNSET


class Message(_Item, tag="message", kw_only=True):
    role: Literal["system", "user", "assistant"]
    content: Annotated[list[Content], Meta(min_length=1)]
    phase: str | None | UnsetType = UNSET  # sent back by newer agents SDKs; no effect on input


class FunctionCall(_Item, tag="function_call", kw_only=True):
    name: str
    arguments: str
    call_id: OptionalId = UNSET


class FunctionCallOutput(_Item, tag="function_call_output", kw_only=True):
    call_id: str
    output: str


class McpListTools(_Item, tag="mcp_list_tools", kw_only=True):
    server_label: str
    tools: list[dict[str, Any]]


class McpCall(_Item, tag="mcp_call", kw_only=True):
    server_label: str
    name: str
    arguments: str
    approval_request_id: str | None | UnsetType = UNSET
    output: str | None | UnsetType = UNSET
    error: dict[str, Any] | None | UnsetType = UNSET


class McpApprovalRequest(_Item, tag="mcp_approval_request", kw_only=True):
    server_label: str
    name: str
    arguments: str


class McpApprovalResponse(_Item, tag="mcp_approval_response", kw_only=True):
    approval_request_id: str
    approve: bool
    reason: str | None | UnsetType = UNSET


class ItemReference(_Item, tag="item_reference", kw_only=True):
    """Only inside ``response.create``'s ``input`` (E-37)."""


NewItem = (
    Message | FunctionCall | FunctionCallOutput | McpListTools | McpCall | McpApprovalRequest | McpApprovalResponse
    | ItemReference
)  # fmt: skip

# Response parameters (E-10) -------------------------------------------------------------------------


class ResponseAudioOutput(Shape):
    format: Format | UnsetType = UNSET
    voice: Voice | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | UnsetType = UNSET


class ResponseAudio(Shape):
    output: ResponseAudioOutput | UnsetType = UNSET


class ResponseParams(Shape):
    conversation: Literal["auto", "none"] | UnsetType = UNSET
    input: list[NewItem] | None | UnsetType = UNSET
    instructions: str | None | UnsetType = UNSET
    output_modalities: Modalities | None | UnsetType = UNSET
    audio: ResponseAudio | None | UnsetType = UNSET
    tools: list[Tool] | None | UnsetType = UNSET
    tool_choice: ToolChoice | None | UnsetType = UNSET
    max_output_tokens: MaxTokens | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    prompt: Prompt | None | UnsetType = UNSET
    reasoning: Reasoning | None | UnsetType = UNSET
    parallel_tool_calls: bool | None | UnsetType = UNSET


# Events ---------------------------------------------------------------------------------------------


class _Event(msgspec.Struct, kw_only=True, tag_field="type"):
    event_id: EventId = UNSET


class UpdateSession(_Event, tag="session.update", kw_only=True):
    session: RealtimeConfig | TranscriptionConfig


class Append(_Event, tag="input_audio_buffer.append", kw_only=True):
    """Never built for a good event, whose audio is already bytes: it is here to refuse a bad one."""

    audio: str


class Commit(_Event, tag="input_audio_buffer.commit", kw_only=True):
    pass


class Clear(_Event, tag="input_audio_buffer.clear", kw_only=True):
    pass


class CreateItem(_Event, tag="conversation.item.create", kw_only=True):
    item: NewItem
    previous_item_id: str | None | UnsetType = UNSET


class RetrieveItem(_Event, tag="conversation.item.retrieve", kw_only=True):
    item_id: str


class DeleteItem(_Event, tag="conversation.item.delete", kw_only=True):
    item_id: str


class TruncateItem(_Event, tag="conversation.item.truncate", kw_only=True):
    item_id: str
    content_index: Annotated[int, Meta(ge=0)]
    audio_end_ms: Annotated[int, Meta(ge=0)]


class CreateResponse(_Event, tag="response.create", kw_only=True):
    response: ResponseParams | None | UnsetType = UNSET


class Cancel(_Event, tag="response.cancel", kw_only=True):
    response_id: str | None | UnsetType = UNSET


class ClearOutput(_Event, tag="output_audio_buffer.clear", kw_only=True):
    """WebRTC alone (E-12)."""


ClientEvent = (
    UpdateSession | Append | Commit | Clear | CreateItem | RetrieveItem | DeleteItem | TruncateItem | CreateResponse
    | Cancel | ClearOutput
)  # fmt: skip

CLIENT_EVENTS = frozenset(
    kind.__struct_config__.tag for kind in ClientEvent.__args__ if isinstance(kind.__struct_config__.tag, str)
)
