"""Any sequence of what clients, models and time may do, legal or not, keeps the promises of the protocol.

A few hundred examples in an ordinary run; ``VIVAVOCE_PROPERTY_EXAMPLES=10000`` for a thorough one.
"""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.protocol.hand import WINDOW, Hand, Told
from tests.protocol.session.witness import Witness
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session import truncation
from vivavoce.protocol.session.commands import (
    RATE,
    CallMcp,
    Cancel,
    Command,
    Doubted,
    FlushPlayback,
    HoldPlayback,
    Import,
    ListMcp,
    MayEnd,
    Start,
    Transcribe,
)  # fmt: skip
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, TextPart, Usage
from vivavoce.transports.webrtc.playout import Playout

EXAMPLES = int(os.environ.get("VIVAVOCE_PROPERTY_EXAMPLES", "200"))

# What a client may say ------------------------------------------------------------------------------

detections = st.sampled_from([
    None,
    {"type": "server_vad"},
    {"type": "server_vad", "silence_duration_ms": 64, "prefix_padding_ms": 0, "interrupt_response": False},
    {"type": "server_vad", "create_response": False, "prefix_padding_ms": 1000},
    {"type": "server_vad", "interrupt_response": True, "create_response": True, "threshold": 1.0},
    {"type": "semantic_vad", "eagerness": "high"},
])  # fmt: skip
hearings = st.fixed_dictionaries({}, optional={
    "turn_detection": detections,
    "transcription": st.sampled_from([None, {"model": "whisper-1"}, {"model": "gpt-4o-transcribe"}]),
    "format": st.sampled_from([{"type": "audio/pcm"}, {"type": "audio/pcmu"}]),
})  # fmt: skip
wrong_hearings = st.sampled_from(
    [
        {"turn_detection": {"type": "wishful_vad"}},
        {"turn_detection": None, "format": "pcm16"},
        {"turn_detection": {"type": "server_vad", "threshold": 2}},
        {"transcription": {"model": 3}},
        {"format": {"type": "audio/pcm", "rate": 8000}},
    ]
)
TRUNCATIONS = [
    "auto",
    "disabled",
    {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 10}},
]
sessions = st.fixed_dictionaries({"audio": st.fixed_dictionaries({"input": hearings})}, optional={
    "instructions": st.sampled_from(["", "Be brief."]),
    "output_modalities": st.sampled_from([["audio"], ["text"]]),
    "tracing": st.sampled_from([None, "auto"]),
    "truncation": st.sampled_from(TRUNCATIONS),
    "max_output_tokens": st.sampled_from([1, "inf"]),
})  # fmt: skip
SERVER = {"type": "mcp", "server_label": "one", "server_url": "https://one.example/mcp", "require_approval": "never"}
ASKING = {"type": "mcp", "server_label": "two", "server_url": "https://two.example/mcp"}
toolboxes = st.sampled_from([
    [], [{"type": "function", "name": "f"}], [SERVER], [SERVER, ASKING], [{"type": "mcp", "server_label": "one"}],
    [ASKING, ASKING], [{"type": "mcp", "server_label": "three"}],
])  # fmt: skip
wrong_sessions = st.sampled_from([
    {"instructions": None}, {"output_modalities": ["text", "audio"]}, {"voice": "alloy"}, {"max_output_tokens": 0},
])  # fmt: skip
contents = st.sampled_from([
    {"type": "input_text", "text": "hello"},
    {"type": "output_text", "text": "well"},
    {"type": "input_audio", "audio": "AAAA"},
    {"type": "input_audio", "transcript": "said"},
    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
    {"type": "input_image", "image_url": "http://example.com/x.png"},
    {"type": "text", "text": "beta"},
])  # fmt: skip
plain_items = st.one_of(
    st.fixed_dictionaries({
        "type": st.just("message"),
        "role": st.sampled_from(["user", "assistant", "system", "robot"]),
        "content": st.lists(contents, min_size=0, max_size=2),
    }),
    st.fixed_dictionaries({"type": st.just("function_call"), "name": st.just("f"), "arguments": st.just("{}")},
                          optional={"call_id": st.just("call_x")}),
    st.fixed_dictionaries({"type": st.just("function_call_output"), "call_id": st.sampled_from(["call_x", "call_no"]),
                           "output": st.just("done")}),
    st.just({"type": "item_reference", "id": "item_1"}),
    st.just({"type": "mcp_approval_response", "approval_request_id": "x", "approve": True}),
    st.sampled_from([{}, None, {"type": "reasoning"}, []]),
)  # fmt: skip
responses = st.fixed_dictionaries({}, optional={
    "conversation": st.sampled_from(["auto", "none", "none"]),
    "input": st.lists(plain_items, max_size=2),
    "instructions": st.just("Otherwise."),
    "output_modalities": st.sampled_from([["audio"], ["text"]]),
    "metadata": st.just({"k": "v"}),
    "audio": st.just({"output": {"voice": {"id": "voice_1"}}}),
    "max_output_tokens": st.sampled_from([1, "inf"]),
})  # fmt: skip
garbage = st.sampled_from([
    {"type": "session.close"},
    {"type": "session.update"},
    {"type": "session.update", "session": {}},
    {"type": "session.update", "session": {"type": "transcription"}},
    {"type": "session.update", "session": {"type": "realtime"}},
    {"type": "input_audio_buffer.append"},
    {"type": "input_audio_buffer.append", "audio": 7},
    {"type": "conversation.item.create", "item": 7},
    {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": -1},
    {"type": "conversation.item.truncate", "item_id": None},
    {"type": "response.create", "response": None},
    {"type": "response.create", "response": []},
    {"type": "response.create", "response": {"metadata": {"k": 1}}},
    {"type": "response.create", "response": {"conversation": "both"}},
    {"type": "response.create", "response": {"output_modalities": ["video"]}},
    {"type": "response.create", "response": {"max_output_tokens": "some"}},
    {"type": "response.cancel", "response_id": ["resp_1"]},
    {"type": "input_audio_buffer.commit", "surprise": {"a": [1]}},
    {},
])  # fmt: skip


@dataclass
class _Work:
    """A response that a model is working on."""

    text: bool
    tools: tuple[str, ...] = ()
    called: bool = False


class AnySession(RuleBasedStateMachine):
    @initialize(
        media=st.booleans(), forgiving=st.booleans(), kind=st.sampled_from(["realtime"] * 4 + ["transcription"])
    )
    def open(self, media: bool, forgiving: bool, kind: str) -> None:
        self.small = mock.patch.object(truncation, "INPUT_TOKENS", 60)  # so that a conversation can be too long
        self.small.start()
        self.hand = Hand(media=media, kind=kind, forgiving=forgiving)
        self.witness = Witness(media=media)
        self.work: dict[str, _Work] = {}
        self.stale = ["resp_none"]
        self.unrecognised: list[str] = []
        self.opinions: list[str] = []
        self.doubts: list[str] = []
        self.held = False
        self.listings: list[str] = []
        self.calls: list[tuple[str, str]] = []
        self.approvals: list[str] = []
        self.windows: deque[tuple[int, float]] = deque()
        self.looked = 0
        self.track = Playout()
        self.on_the_way: deque[Callable[[], None]] = deque()
        self.events = 0
        self.take(self.hand.created)

    def take(self, told: Told, **how: Any) -> None:
        self.witness.received = self.hand.position
        self.witness.saw(told, **how)
        for each in told:
            if isinstance(each, Frame):
                self.follow_event(each)
            else:
                self.follow(each)
        self.witness.kept_from = max(self.witness.kept_from, self.hand.session.keep_from)

    def follow_event(self, frame: Frame) -> None:
        """What a track and a person do with an event."""
        if frame.type == "response.output_audio.delta" and self.hand.media:
            self.on_the_way.append(partial(self.track.push, frame.data["item_id"], frame.audio or b""))
        elif frame.type == "response.output_audio.done" and self.hand.media:
            self.on_the_way.append(partial(self.track.finish, frame.data["item_id"]))
        elif frame.type == "response.output_item.done" and frame.data["item"]["type"] == "mcp_approval_request":
            self.approvals.append(frame.data["item"]["id"])

    def follow(self, command: Command) -> None:
        """What a driver does with a command."""
        match command:
            case FlushPlayback():
                self.on_the_way.append(partial(self.track.flush, command.item_id))
            case Start():
                tools = tuple(tool.name for tool in command.context.mcp)
                self.work[command.response_id] = _Work(command.context.modality == "text", tools)
            case ListMcp():
                self.listings.append(command.tool.server_label)
            case CallMcp():
                self.calls.append((command.response_id, command.item_id))
            case Cancel():
                self.stale.append(command.response_id)
                self.work.pop(command.response_id, None)
            case Transcribe() | Import():
                self.unrecognised.append(command.item_id)
            case Doubted():
                self.doubts.append(command.item_id)
            case HoldPlayback():
                assert command.on is not self.held
                self.held = command.on
            case MayEnd() if command.wanted:
                self.opinions.append(command.item_id)

    def say(self, type: str | None, **fields: Any) -> Told:
        self.events += 1
        event_id = f"mine_{self.events}"
        told = self.hand.tell({**({"type": type} if type else {}), "event_id": event_id, **fields})
        self.take(told, event_id=event_id, whole_context="input" not in (fields.get("response") or {}))
        return told

    def some_item(self, data: st.DataObject) -> str:
        known = [*self.witness.order, *sorted(self.witness.items), "mine", "nobody's"]
        return data.draw(st.sampled_from(known))

    # A client ---------------------------------------------------------------------------------------

    @rule(session=sessions)
    def update(self, session: dict[str, Any]) -> None:
        told = self.say("session.update", session={"type": self.hand.kind, **session})
        assert told.types in (["session.updated"], ["error"])

    @rule(hearing=hearings)
    def update_hearing(self, hearing: dict[str, Any]) -> None:
        told = self.say("session.update", session={"type": self.hand.kind, "audio": {"input": hearing}})
        assert told.types == ["session.updated"]

    @rule(wrong=st.one_of(wrong_sessions, wrong_hearings.map(lambda hearing: {"audio": {"input": hearing}})))
    def update_wrongly(self, wrong: dict[str, Any]) -> None:
        before = self.hand.session.view()
        told = self.say("session.update", session={"type": self.hand.kind, "include": [], **wrong})
        assert told.types == ["error"]
        assert self.hand.session.view() == before, "all of an update or nothing"

    @rule()
    def commit(self) -> None:
        told = self.say("input_audio_buffer.commit")
        assert told.types[0] in ("input_audio_buffer.committed", "error")

    @rule()
    def clear(self) -> None:
        assert self.say("input_audio_buffer.clear").types == ["input_audio_buffer.cleared"]

    @rule(data=st.data(), item=plain_items, own_id=st.booleans(), placed=st.sampled_from([None, "root", "after"]))
    def create_item(self, data: st.DataObject, item: Any, own_id: bool, placed: str | None) -> None:
        if own_id and isinstance(item, dict):
            item = {**item, "id": self.some_item(data)}
        previous = self.some_item(data) if placed == "after" else placed
        self.say("conversation.item.create", item=item, previous_item_id=previous)

    @rule(data=st.data(), what=st.sampled_from(["retrieve", "delete"]))
    def take_item(self, data: st.DataObject, what: str) -> None:
        self.say(f"conversation.item.{what}", item_id=self.some_item(data))

    @rule(data=st.data(), ms=st.sampled_from([0, 1, 49, 50, 100, 149, 1000]))
    def truncate(self, data: st.DataObject, ms: int) -> None:
        item_id = self.some_item(data)
        self.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)

    @rule(response=responses)
    def respond(self, response: dict[str, Any]) -> None:
        self.say("response.create", response=response)

    @rule()
    def respond_plainly(self) -> None:
        busy = bool(self.witness.active_default)
        told = self.say("response.create")
        assert busy <= (told.types == ["error"])

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        named = data.draw(st.sampled_from([None, *self.work, *self.stale]))
        self.say("response.cancel", **({"response_id": named} if named else {}))

    @rule()
    def clear_output(self) -> None:
        self.say("output_audio_buffer.clear")

    @rule()
    def respond_out_of_band(self) -> None:
        self.say("response.create", response={"conversation": "none"})

    @rule(event=garbage)
    def blunder(self, event: dict[str, Any]) -> None:
        fields = {key: value for key, value in event.items() if key != "type"}
        self.say(event.get("type"), **fields)

    # Sound ------------------------------------------------------------------------------------------

    @rule(windows=st.integers(1, 12), probability=st.sampled_from([0.0, 0.4, 1.0, 1.0]), late=st.booleans())
    def hear(self, windows: int, probability: float, late: bool) -> None:
        """``late``: voice activity of it is told later."""
        for _ in range(windows):
            self.take(self.hand.audio(WINDOW * 1000 / RATE))
            if not self.hand.session.detects:
                self.windows.clear()
                self.looked = self.hand.position
            else:
                self.looked += WINDOW
                self.windows.append((self.looked, probability))
            if not late:
                self.look()

    @rule(pause=st.booleans())
    def speak(self, pause: bool) -> None:
        """Enough speech for a turn, and the silence that ends it or not."""
        self.hear(6, 1.0, late=False)
        if pause:
            self.hear(10, 0.0, late=False)

    @rule()
    def look(self) -> None:
        while self.windows:
            end, probability = self.windows.popleft()
            self.hand.session.speech(end, probability)
            self.take(self.hand.told())

    @rule(ms=st.sampled_from([1, 5, 20, 99, 100, 500]))
    def hear_without_looking(self, ms: int) -> None:
        """A frame that does not fill a window; or detection is off."""
        self.take(self.hand.audio(ms))
        if not self.hand.session.detects:
            self.windows.clear()
            self.looked = self.hand.position

    @precondition(lambda self: self.opinions)
    @rule(data=st.data(), finished=st.sampled_from([0.0, 0.4, 1.0]))
    def opine(self, data: st.DataObject, finished: float) -> None:
        self.hand.session.endpoint(data.draw(st.sampled_from(self.opinions)), finished)
        self.take(self.hand.told())

    @precondition(lambda self: self.doubts)
    @rule(data=st.data(), wants_floor=st.booleans(), echo=st.booleans())
    def judge(self, data: st.DataObject, wants_floor: bool, echo: bool) -> None:
        item_id = data.draw(st.sampled_from(self.doubts[-2:]))
        self.take(self.hand.judged(item_id, wants_floor=wants_floor, echo=echo and not wants_floor))

    # Models -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.work)
    @rule(data=st.data(), words=st.sampled_from(["One. ", "two three ", "é"]), sound=st.sampled_from([0, 480, 2400]))
    def make_words(self, data: st.DataObject, words: str, sound: int) -> None:
        response_id = data.draw(st.sampled_from(sorted(self.work)))
        work = self.work[response_id]
        parts: list[Any] = [TextPart(words)]
        if sound and not work.text:
            parts.append(AudioPart(bytes(2 * sound), sound))
        work.called = False
        self.take(self.hand.model(response_id, *parts))

    @precondition(lambda self: self.work)
    @rule(data=st.data(), more=st.booleans())
    def make_call(self, data: st.DataObject, more: bool) -> None:
        response_id = data.draw(st.sampled_from(sorted(self.work)))
        work = self.work[response_id]
        name = data.draw(st.sampled_from(["f", *work.tools]))
        parts: list[Any] = [] if more and work.called else [CallPart(name, "")]
        work.called = True
        self.take(self.hand.model(response_id, *parts, Arguments('{"a":'), Arguments("1}")))

    @precondition(lambda self: self.work)
    @rule(data=st.data(), how=st.sampled_from([
        Done(), Done("max_output_tokens"), Done("content_filter", Usage(10, 5, 20)), Done("stop", Usage(100, 5, 20)),
        Failed("model_error", "It fell over."),
    ]))  # fmt: skip
    def end(self, data: st.DataObject, how: Done | Failed) -> None:
        response_id = data.draw(st.sampled_from(sorted(self.work)))
        del self.work[response_id]
        self.take(self.hand.model(response_id, how))
        if self.witness.responses[response_id].done:
            self.stale.append(response_id)

    @rule(data=st.data(), part=st.sampled_from([TextPart("late"), AudioPart(b"\0\0", 1), Arguments("{"), Done()]))
    def make_for_nobody(self, data: st.DataObject, part: Any) -> None:
        assert self.hand.model(data.draw(st.sampled_from(self.stale)), part) == []

    @precondition(lambda self: self.unrecognised)
    @rule(text=st.sampled_from(["hello there", "", None]))
    def recognise(self, text: str | None) -> None:
        item_id = self.unrecognised.pop(0)
        self.take(self.hand.unheard(item_id, "No.") if text is None else self.hand.heard(item_id, text))

    # MCP --------------------------------------------------------------------------------------------

    @rule(tools=toolboxes)
    def update_tools(self, tools: list[Any]) -> None:
        if self.hand.kind == "realtime":
            self.say("session.update", session={"type": "realtime", "tools": tools})

    @rule(tools=toolboxes, beside=st.booleans())
    def respond_with_tools(self, tools: list[Any], beside: bool) -> None:
        self.say("response.create", response={"tools": tools, "conversation": "none" if beside else "auto"})

    @precondition(lambda self: self.listings)
    @rule(fails=st.booleans())
    def list_tools(self, fails: bool) -> None:
        label = self.listings.pop(0)
        found = McpFailure("http_error", "gone", 404) if fails else [{"name": f"tool_{label}", "input_schema": {}}]
        self.hand.session.mcp_listed(label, found)
        self.take(self.hand.told())

    @precondition(lambda self: self.calls)
    @rule(fails=st.booleans())
    def answer_call(self, fails: bool) -> None:
        response_id, item_id = self.calls.pop(0)
        self.hand.session.mcp_result(response_id, item_id, McpFailure("tool_execution_error", "no") if fails else "yes")
        self.take(self.hand.told())

    @precondition(lambda self: self.approvals)
    @rule(approve=st.booleans(), again=st.booleans())
    def approve_call(self, approve: bool, again: bool) -> None:
        request_id = self.approvals[0] if again else self.approvals.pop(0)
        answer = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve}
        self.say("conversation.item.create", item=answer)

    # The track --------------------------------------------------------------------------------------

    @precondition(lambda self: self.on_the_way)
    @rule(count=st.integers(1, 8))
    def arrive(self, count: int) -> None:
        for _ in range(min(count, len(self.on_the_way))):
            self.on_the_way.popleft()()
        self.report()

    @precondition(lambda self: self.track.waiting and not self.held)
    @rule(frames=st.sampled_from([1, 5, 50]))
    def play(self, frames: int) -> None:
        for _ in range(frames):
            self.track.take()
        self.report()

    def report(self) -> None:
        for frame in self.track.reports():
            item_id, ms, drained = (frame.data[key] for key in ("item_id", "audio_ms", "drained"))
            self.take(self.hand.played(item_id, ms, drained=drained))

    # Time -------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.01, 0.5, 1.0, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.take(self.hand.wait(seconds))

    @rule()
    def deadline_comes(self) -> None:
        deadline = self.hand.session.deadline()
        if deadline < 3000:
            self.take(self.hand.wait(deadline - self.hand.now))
            assert self.hand.session.deadline() > deadline, "the driver would spin"

    @invariant()
    def one_default_response(self) -> None:
        if hasattr(self, "witness"):
            assert len(self.witness.active_default) <= 1

    def teardown(self) -> None:
        """Let everything end: then nothing is left open."""
        if not hasattr(self, "witness"):
            return
        try:
            self.end_all()
        finally:
            self.small.stop()

    def end_all(self) -> None:
        self.take(self.hand.hearing(turn_detection=None))
        assert not self.held, "nobody listens for a doubt any more"
        while self.work or self.listings or self.calls or self.approvals:
            if self.listings:
                self.list_tools(False)
            if self.approvals:
                self.approve_call(False, again=False)
            if self.calls:
                self.answer_call(False)
            if self.work:
                response_id = next(iter(self.work))
                del self.work[response_id]
                self.take(self.hand.model(response_id, Done()))
        while self.on_the_way or self.track.waiting:
            self.arrive(len(self.on_the_way))
            self.play(50)
        self.witness.at_the_end()


@pytest.mark.timeout(3600)
def test_any_session_keeps_the_promises_of_the_protocol():
    run_state_machine_as_test(
        AnySession,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
