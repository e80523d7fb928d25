"""From the parts of an answer to a chat completion: in chunks as it is made, or whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vivavoce.models.interfaces import Answer, Call, CallArguments, Finish, Prompt, Said
from vivavoce.protocol.session.usage import text_tokens

__all__ = ["Completion", "Tally", "protocol_usage"]

Json = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """What has been said so far."""

    text: str = ""
    calls: list[list[str]] = field(default_factory=list)
    """Name, id and arguments of each."""
    finish: Finish | None = None

    def push(self, part: Answer) -> None:
        match part:
            case Said(text):
                self.text += text
            case Call(name, id):
                self.calls.append([name, id, ""])
            case CallArguments(text):
                self.calls[-1][2] += text
            case Finish():
                self.finish = part


class Completion:
    """``id`` is ``chatcmpl-…``, ``created`` unix seconds; ``new_call`` names a call that the model gave no name."""

    def __init__(self, id: str, created: float, model: str, new_call: Any, *, tells_usage: bool = False) -> None:
        self._head = {"id": id, "object": "chat.completion.chunk", "created": int(created), "model": model}
        self._tells_usage, self._new_call = tells_usage, new_call
        self.tally = Tally()
        self._begun = False

    def push(self, part: Answer, prompt: Prompt) -> Iterator[Json]:
        """The chunks that follow from it; the last of them after :class:`Finish`."""
        if isinstance(part, Call) and not part.call_id:
            part = Call(part.name, self._new_call("call_"))
        self.tally.push(part)
        match part:
            case Said(text):
                yield self._chunk({"content": text})
            case Call(name, id):
                function = {"name": name, "arguments": ""}
                call = {"index": len(self.tally.calls) - 1, "id": id, "type": "function", "function": function}
                yield self._chunk({"tool_calls": [call]})
            case CallArguments(text):
                more = {"index": len(self.tally.calls) - 1, "function": {"arguments": text}}
                yield self._chunk({"tool_calls": [more]})
            case Finish():
                yield self._chunk({}, self._reason)
                if self._tells_usage:
                    yield {**self._head, "choices": [], "usage": self.usage(prompt)}

    def whole(self, prompt: Prompt) -> Json:
        tally = self.tally
        message: Json = {"role": "assistant", "content": tally.text or None, "refusal": None, "annotations": []}
        if tally.calls:
            message["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                for name, id, arguments in tally.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self.usage(prompt)}

    def usage(self, prompt: Prompt) -> Json:
        """As the model counts, else four characters a token."""
        told = self.tally.finish or Finish()
        asked = prompt.instructions + "".join(message.text for message in prompt.messages)
        said = self.tally.text + "".join(call[0] + call[2] for call in self.tally.calls)
        came = text_tokens(asked) if told.input_tokens is None else told.input_tokens
        made = text_tokens(said) if told.output_tokens is None else told.output_tokens
        return {
            "prompt_tokens": came,
            "completion_tokens": made,
            "total_tokens": came + made,
            "prompt_tokens_details": {"cached_tokens": told.cached_tokens},
        }

    @property
    def _reason(self) -> str:
        reason = self.tally.finish.reason if self.tally.finish else "stop"
        return "tool_calls" if self.tally.calls and reason == "stop" else reason

    def _chunk(self, delta: Json, reason: str | None = None) -> Json:
        if not self._begun:
            delta, self._begun = {"role": "assistant", **delta}, True
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        chunk: Json = {**self._head, "choices": [choice]}
        return {**chunk, "usage": None} if self._tells_usage else chunk


def protocol_usage(usage: Json) -> Json:
    """A completion's ``usage`` as the Realtime API writes it, by which prices go."""
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    came, made = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {
        "type": "tokens",
        "input_tokens": came,
        "output_tokens": made,
        "total_tokens": came + made,
        "input_token_details": {"text_tokens": came, "cached_tokens": cached},
        "output_token_details": {"text_tokens": made},
    }
