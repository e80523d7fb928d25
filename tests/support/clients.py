"""What the official clients trip over, one check a rule (protocol checklist, section 6: C-10 to C-19 and
C-27 to C-37). Each is given one server event as JSON values, and says in words what is wrong with it.

:func:`trips` names every rule that an event breaks. The rules are written out here, and not left to the
SDKs' types, since the JavaScript client drops an event in silence where the Python one says why.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["GA_EVENTS", "RULES", "trips"]

Event = Mapping[str, Any]
Check = Callable[[Event], object]

RULES: dict[str, Check] = {}
"""By row: true where the event is right."""


def _rule(row: str) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        RULES[row] = check
        return check

    return keep


def trips(event: Event) -> list[str]:
    return [row for row, right in RULES.items() if not right(event)]


_TRANSCRIPTION = "conversation.item.input_audio_transcription"

GA_EVENTS = frozenset(
    """
    error session.created session.updated conversation.created rate_limits.updated
    conversation.item.added conversation.item.done conversation.item.retrieved conversation.item.deleted
    conversation.item.truncated
    conversation.item.input_audio_transcription.delta conversation.item.input_audio_transcription.completed
    conversation.item.input_audio_transcription.failed conversation.item.input_audio_transcription.segment
    input_audio_buffer.committed input_audio_buffer.cleared input_audio_buffer.speech_started
    input_audio_buffer.speech_stopped input_audio_buffer.timeout_triggered input_audio_buffer.dtmf_event_received
    output_audio_buffer.started output_audio_buffer.stopped output_audio_buffer.cleared
    response.created response.done response.output_item.added response.output_item.done
    response.content_part.added response.content_part.done
    response.output_text.delta response.output_text.done
    response.output_audio.delta response.output_audio.done
    response.output_audio_transcript.delta response.output_audio_transcript.done
    response.function_call_arguments.delta response.function_call_arguments.done
    response.mcp_call_arguments.delta response.mcp_call_arguments.done
    response.mcp_call.in_progress response.mcp_call.completed response.mcp_call.failed
    mcp_list_tools.in_progress mcp_list_tools.completed mcp_list_tools.failed
    """.split()
)
"""What a GA server may say. ``conversation.item.created`` is in the SDK's union and is beta (E-19)."""

_ITEM_TYPES = {
    "message", "function_call", "function_call_output",
    "mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response",
}  # fmt: skip
_CONTENT = {
    "system": {"input_text"},
    "user": {"input_text", "input_audio", "input_image"},
    "assistant": {"output_text", "output_audio"},
}
_REASONS = {None, "turn_detected", "client_cancelled", "max_output_tokens", "content_filter"}


def _items(event: Event) -> Iterator[Mapping[str, Any]]:
    if "item" in event:
        yield event["item"]
    yield from event.get("response", {}).get("output", ())


def _contents(event: Event) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in _items(event):
        for content in item.get("content", ()):
            yield item["role"], content


def _everywhere(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _everywhere(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _everywhere(inner)


@_rule("C-10")
def _named(event: Event) -> bool:
    return event["type"] in GA_EVENTS and isinstance(event.get("event_id"), str) and bool(event["event_id"])


@_rule("C-11")
def _whole_numbers(event: Event) -> bool:
    counts = [
        value
        for name, value in _everywhere({key: value for key, value in event.items() if key not in ("session", "item")})
        if name.endswith(("_ms", "_tokens", "_index")) and name != "max_output_tokens"
    ]
    return all(type(value) is int for value in counts)


@_rule("C-12")
def _formats(event: Event) -> bool:
    formats = [value for name, value in _everywhere(event) if name == "format"]
    pcm, g711 = {"type": "audio/pcm", "rate": 24000}, ({"type": "audio/pcmu"}, {"type": "audio/pcma"})
    return all(value == pcm or value in g711 for value in formats)


@_rule("C-13")
def _turn_detection(event: Event) -> bool:
    found = [value for name, value in _everywhere(event.get("session")) if name == "turn_detection"]
    return all(value is None or value["type"] in ("server_vad", "semantic_vad") for value in found)


@_rule("C-14")
def _modalities(event: Event) -> bool:
    session = event.get("session")
    if session is not None and session.get("type") not in ("realtime", "transcription"):
        return False
    return all(
        set(value) <= {"text", "audio"} for name, value in _everywhere(event) if name == "output_modalities"
    )  # fmt: skip


@_rule("C-15")
def _item_types(event: Event) -> bool:
    return all(item["type"] in _ITEM_TYPES for item in _items(event)) and all(
        isinstance(item.get("arguments"), str) for item in _items(event) if item["type"] == "function_call"
    )


@_rule("C-16")
def _part_types(event: Event) -> bool:
    return "part" not in event or event["part"]["type"] in ("audio", "text")


@_rule("C-17")
def _details(event: Event) -> bool:
    response = event.get("response") or {}
    metadata = response.get("metadata") or {}
    reason = (response.get("status_details") or {}).get("reason")
    return reason in _REASONS and all(isinstance(value, str) for value in metadata.values())


@_rule("C-18")
def _needed(event: Event) -> bool:
    needed = {
        f"{_TRANSCRIPTION}.completed": "usage",
        "response.function_call_arguments.done": "name",
        "response.function_call_arguments.delta": "call_id",
    }
    return event["type"] not in needed or bool(event.get(needed[event["type"]]))


@_rule("C-19")
def _named_parts(event: Event) -> bool:
    if event["type"] == "error":
        return all(isinstance(event["error"].get(key), str) for key in ("type", "message"))
    if event["type"].startswith("output_audio_buffer."):
        return isinstance(event.get("response_id"), str)
    return all(limit["name"] in ("requests", "tokens") for limit in event.get("rate_limits", ()))


@_rule("C-28")
def _transcript_key(event: Event) -> bool:
    return all("transcript" in content for _, content in _contents(event) if content["type"] == "input_audio")


@_rule("C-29")
def _no_null_keys(event: Event) -> bool:
    """But for the ``output`` of an ``mcp_call``, which has to be there while nobody knows it: it is read as a text or
    null, and the item is lost without."""
    null = [(item["type"], name) for item in _items(event) for name, value in item.items() if value is None]
    calls = [item for item in _items(event) if item["type"] == "mcp_call"]
    return set(null) <= {("mcp_call", "output")} and all("output" in call for call in calls)


@_rule("C-30")
def _content_types(event: Event) -> bool:
    return all(content["type"] in _CONTENT[role] for role, content in _contents(event))


@_rule("C-33")
def _voice(event: Event) -> bool:
    audio = event.get("response", {}).get("audio")
    return audio is None or isinstance(audio["output"]["voice"], str)


@_rule("C-34")
def _failure(event: Event) -> bool:
    return event["type"] != f"{_TRANSCRIPTION}.failed" or isinstance(event["error"].get("param", ""), str)


@_rule("C-35")
def _transcription_usage(event: Event) -> bool:
    usage = event.get("usage") or {}
    if event["type"] != f"{_TRANSCRIPTION}.completed" or usage.get("type") != "tokens":
        return True
    details: Mapping[str, int] = usage.get("input_token_details", {})
    return {"text_tokens", "audio_tokens"} <= details.keys()


@_rule("C-36")
def _mcp(event: Event) -> bool:
    if event["type"] == "response.mcp_call_arguments.delta":
        return isinstance(event.get("obfuscation"), str)
    tools = [tool for item in _items(event) if item["type"] == "mcp_list_tools" for tool in item["tools"]]
    return all(isinstance(tool.get("description", ""), str) for tool in tools)


@_rule("C-37")
def _session_object(event: Event) -> bool:
    return not event["type"].startswith("session.") or isinstance(event.get("session"), Mapping)
