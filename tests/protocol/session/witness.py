"""Follows everything that one session says, and fails at what no client should ever be told.

It knows the rules and not the session: what it remembers is what a client would remember.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.protocol.hand import Told
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.commands import RATE, Cancel, Command, FlushPlayback, MayEnd, Start, Transcribe

__all__ = ["Witness"]

_WORDS = {
    "response.output_text": "text",
    "response.output_audio_transcript": "transcript",
    "response.function_call_arguments": "arguments",
    "response.mcp_call_arguments": "arguments",
}
_REASONS = {"cancelled": ("turn_detected", "client_cancelled"), "incomplete": ("max_output_tokens", "content_filter")}
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


@dataclass
class _Item:
    said: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    """Deltas so far, by kind."""
    open_part: bool = False
    done: bool = False
    final: str | None = None
    cut: bool = False


@dataclass
class _Response:
    default: bool
    items: dict[str, _Item] = field(default_factory=dict)
    done: bool = False


class Witness:
    def __init__(self, *, media: bool) -> None:
        self._media = media
        self._ids: set[str] = set()
        self.responses: dict[str, _Response] = {}
        self.order: list[str] = []
        """The conversation as a client builds it from ``previous_item_id``."""
        self.items: set[str] = set()
        """Every item id that was ever named, also of turns that are not committed yet and of items that are gone."""
        self._unfinished: set[str] = set()
        self._turn: str | None = None
        self._announced: set[str] = set()
        self._audio_ms = 0
        self._committed_to = 0
        self.kept_from = 0
        self.received = 0
        self._sounding: str | None = None
        self._listing: set[str] = set()
        self._begun: set[str] = set()
        """Responses that were created by what is looked at just now."""
        self._transcribed: set[str] = set()

    def saw(self, told: Told, *, event_id: str | None = None, whole_context: bool = True) -> None:
        """``event_id``: of the client event that this follows from. ``whole_context``: a response that starts here
        was not given an ``input`` of its own."""
        self._begun.clear()
        errors = [event["error"] for event in told.all("error")]
        assert len(errors) <= 1
        assert not errors or errors[0]["event_id"] == event_id or errors[0]["code"] == "context_length_exceeded"
        for each in told:
            if isinstance(each, Frame):
                self._event(dict(each.data))
            else:
                self._command(each, whole_context)

    def at_the_end(self) -> None:
        """Everything that was begun has ended."""
        assert all(response.done for response in self.responses.values())
        assert not self._unfinished
        assert self._sounding is None
        assert not self._listing

    @property
    def active_default(self) -> list[str]:
        return [id for id, response in self.responses.items() if response.default and not response.done]

    # Events -----------------------------------------------------------------------------------------

    def _event(self, event: dict[str, Any]) -> None:
        assert event["event_id"] not in self._ids
        self._ids.add(event["event_id"])
        kind = event["type"]
        if kind.startswith("response."):
            self._response_event(kind, event)
        elif kind == "mcp_list_tools.in_progress":
            self._listing.add(event["item_id"])
        elif kind.startswith("mcp_list_tools."):
            self._listing.remove(event["item_id"])
        elif kind.startswith("output_audio_buffer."):
            self._sound_event(kind, event["response_id"])
        elif kind.startswith(_TRANSCRIPTION):
            self._transcription_event(kind.removeprefix(_TRANSCRIPTION), event["item_id"])
        elif kind.startswith("input_audio_buffer."):
            self._input_event(kind, event)
        elif kind.startswith("conversation.item."):
            self._item_event(kind, event)

    def _response_event(self, kind: str, event: dict[str, Any]) -> None:
        if kind.startswith("response.mcp_call."):
            item = self._made(event["item_id"])
            assert item is not None
            assert item.final is not None
            assert not item.done
        elif kind == "response.created":
            response = event["response"]
            assert response["id"] not in self._ids
            self._ids.add(response["id"])
            assert response["status"] == "in_progress"
            assert (response["output"], response["usage"]) == ([], None)
            default = response["conversation_id"] is not None
            assert not (default and self.active_default), "one default response at a time"
            self.responses[response["id"]] = _Response(default)
            self._begun.add(response["id"])
        elif kind == "response.done":
            self._response_done(event["response"])
        else:
            response = self.responses[event["response_id"]]
            assert not response.done, "nothing of a response after its done"
            self._part_event(response, kind, event)

    def _made(self, item_id: str) -> _Item | None:
        return next((each.items[item_id] for each in self.responses.values() if item_id in each.items), None)

    def _part_event(self, response: _Response, kind: str, event: dict[str, Any]) -> None:
        if kind == "response.output_item.added":
            item = event["item"]
            assert event["output_index"] == len(response.items)
            assert item["status"] == "in_progress" or item["type"] == "mcp_approval_request"
            assert item["id"] not in self._ids
            self._ids.add(item["id"])
            self.items.add(item["id"])
            response.items[item["id"]] = _Item()
            return
        item_id = event["item"]["id"] if "item" in event else event["item_id"]
        assert list(response.items).index(item_id) == event["output_index"]
        item = response.items[item_id]
        assert not item.done
        match kind.rsplit(".", 1):
            case "response.content_part", "added":
                assert not item.open_part
                item.open_part = True
            case "response.content_part", "done":
                assert item.open_part
                item.open_part = False
                part = event["part"]
                assert part.get("text", part.get("transcript")) == item.final
            case "response.output_item", "done":
                assert not item.open_part
                item.done = True
                self._item_words(item, event["item"])
            case [name, "delta"] if name in _WORDS:
                assert item.final is None
                item.said[name] += event["delta"]
            case [name, "done"] if name in _WORDS:
                assert item.final is None
                item.final = event[_WORDS[name]]
                assert item.cut or item.final == item.said[name], "deltas add up to done"

    def _item_words(self, item: _Item, shown: dict[str, Any]) -> None:
        assert shown["status"] in ("completed", "incomplete")
        if shown["type"] == "message":
            (content,) = shown["content"]
            words = content.get("text", content.get("transcript"))
        elif shown["type"] == "mcp_approval_request":
            words = None
        else:
            words = shown["arguments"]
        assert words == item.final

    def _response_done(self, response: dict[str, Any]) -> None:
        known = self.responses[response["id"]]
        assert not known.done
        known.done = True
        assert [item["id"] for item in response["output"]] == list(known.items)
        assert all(item.done for item in known.items.values()), "every opened item is closed"
        assert not self._unfinished & known.items.keys()
        usage = response["usage"]
        given, made = usage["input_token_details"], usage["output_token_details"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert usage["input_tokens"] == given["text_tokens"] + given["audio_tokens"] + given["image_tokens"]
        assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
        assert given["cached_tokens"] == sum(given["cached_tokens_details"].values()) <= usage["input_tokens"]
        reasons = {
            "cancelled": ("turn_detected", "client_cancelled"),
            "incomplete": ("max_output_tokens", "content_filter"),
        }
        details = response["status_details"] or {}
        assert details.get("reason") in reasons.get(response["status"], (None,))
        assert (response["status"] == "failed") == ("error" in details)

    def _sound_event(self, kind: str, response_id: str) -> None:
        assert self._media
        if kind == "output_audio_buffer.started":
            assert self._sounding is None
            assert response_id in self.responses
            self._sounding = response_id
        else:
            assert self._sounding == response_id, "one stopped or cleared for each started"
            self._sounding = None

    def _transcription_event(self, kind: str, item_id: str) -> None:
        assert item_id in self.order
        assert item_id not in self._transcribed
        if kind in ("completed", "failed"):
            self._transcribed.add(item_id)

    def _input_event(self, kind: str, event: dict[str, Any]) -> None:
        match kind.removeprefix("input_audio_buffer."):
            case "speech_started":
                self._advance(event["audio_start_ms"])
                assert event["item_id"] not in self._announced
                self._announced.add(event["item_id"])
                self.items.add(event["item_id"])
                self._turn = event["item_id"]
            case "speech_stopped":
                assert event["item_id"] == self._turn
                self._advance(event["audio_end_ms"])
            case "committed":
                assert event["previous_item_id"] == (self.order[-1] if self.order else None)
                assert event["item_id"] == self._turn or event["item_id"] not in self._announced
                self._turn = None
            case "cleared":
                self._turn = None

    def _advance(self, ms: int) -> None:
        assert self._audio_ms <= ms <= self.received * 1000 // RATE, "audio time never runs backwards"
        self._audio_ms = ms

    def _item_event(self, kind: str, event: dict[str, Any]) -> None:
        match kind.removeprefix("conversation.item."):
            case "added":
                self._place(event["previous_item_id"], event["item"]["id"])
            case "done":
                item_id = event["item"]["id"]
                self._unfinished.remove(item_id)
                assert event["item"]["status"] in ("completed", "incomplete")
                assert event["previous_item_id"] == self._before(item_id)
            case "deleted":
                self.order.remove(event["item_id"])
                self._unfinished.discard(event["item_id"])
                self._transcribed.discard(event["item_id"])
            case "truncated":
                assert event["item_id"] in self.order
                if item := self._made(event["item_id"]):
                    item.cut = True

    def _place(self, previous: str | None, item_id: str) -> None:
        assert item_id not in self.order
        self.order.insert(self.order.index(previous) + 1 if previous else 0, item_id)
        self._unfinished.add(item_id)
        self.items.add(item_id)

    def _before(self, item_id: str) -> str | None:
        at = self.order.index(item_id)
        return self.order[at - 1] if at else None

    # Commands ---------------------------------------------------------------------------------------

    def _command(self, command: Command, whole_context: bool) -> None:
        match command:
            case Transcribe():
                assert command.item_id in self.order
                assert self._committed_to <= command.span.start <= command.span.end <= self.received
                assert command.span.start >= self.kept_from, "audio that the driver was told to forget"
                self._committed_to = command.span.end
            case MayEnd():
                assert self.kept_from <= command.span.start <= command.span.end <= self.received
            case Start():
                assert not self.responses[command.response_id].done
                if whole_context and command.response_id in self._begun:
                    given = [item.id for item in command.context.items]
                    latest = self.order[len(self.order) - len(given) :]
                    assert given == latest, "what a client rebuilds is what the mind is given, but for the oldest"
            case Cancel():
                assert not self.responses[command.response_id].done
            case FlushPlayback():
                assert self._media
