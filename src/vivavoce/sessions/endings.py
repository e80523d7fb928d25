"""What clients are told where one who answers ends and another goes on: of what was under way, that it is over; of what
was said before, each item as added and as done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from vivavoce.backends.history import History
from vivavoce.protocol.frame import FLUSH, Frame
from vivavoce.sessions.recall import Answering, Recall

__all__ = ["endings", "frames_of", "silence", "what_was_said"]

Event = Callable[..., Frame]
"""Makes an event of ours: of its type, and with these fields."""
_ERROR = {"type": "server_error", "code": "server_error", "message": "Who answers broke off."}


def silence(recall: Recall, event: Event) -> Iterator[Frame]:
    """On a track, and then the word of it."""
    for id in recall.unplayed:
        yield Frame(FLUSH, {"type": FLUSH, "item_id": id})
    for response_id in dict.fromkeys(response for response, _ in recall.unplayed.values()):
        yield event("output_audio_buffer.cleared", response_id=response_id)
    for id, (_, ms) in recall.unplayed.items():
        yield event("conversation.item.truncated", item_id=id, content_index=0, audio_end_ms=ms)


def endings(recall: Recall, event: Event) -> Iterator[Frame]:
    """Of each answer under way, with what was heard of it."""
    for answering in recall.answering.values():
        yield from _ending(answering, recall, event)


def _ending(answering: Answering, recall: Recall, event: Event) -> Iterator[Frame]:
    id, output = answering.response.get("id"), list(answering.output)
    if answering.item is not None:
        item = {**answering.item, **recall.item(answering.item.get("id")), "status": "incomplete"}
        where = {"response_id": id, "output_index": answering.index}
        if answering.sounds:
            yield event("response.output_audio.done", **where, item_id=item.get("id"), content_index=0)
        yield event("response.output_item.done", **where, item=item)
        output.append(item)
    details = {"type": "failed", "error": _ERROR}
    response = {**answering.response, "status": "failed", "status_details": details, "output": output}
    yield event("response.done", response=response)


def what_was_said(history: History | None, conversation: str | None, event: Event) -> Iterator[Frame]:
    """Before this session."""
    if history is None:
        return
    if conversation:
        yield event("conversation.created", conversation={"id": conversation, "object": "realtime.conversation"})
    for data in frames_of(history.items):
        yield event(**data)


def frames_of(items: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The events by which a client is told of them, without their ids."""
    previous = None
    for item in items:
        for kind in ("conversation.item.added", "conversation.item.done"):
            yield {"type": kind, "previous_item_id": previous, "item": item}
        previous = item.get("id")
