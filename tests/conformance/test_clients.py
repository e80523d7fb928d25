"""What the official clients need of a server (C). The clients themselves, unchanged, are in tests/compat/."""

import json
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.conformance.live import event
from tests.conformance.rows import row
from tests.conformance.scenes import everything_said
from tests.engine.support import senses
from tests.protocol.hand import Hand
from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from tests.support.clients import RULES, trips
from tests.support.official import check_event
from tests.support.serving import serving
from vivavoce.backends.builtin import Builtin
from vivavoce.protocol.session.commands import Retrieve
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, TextPart

SECOND = AudioPart(bytes(48_000), 24_000)
SDP = {"Content-Type": "application/sdp"}
BETA = {"OpenAI-Beta": "realtime=v1"}


# Every event ----------------------------------------------------------------------------------------


@row(
    "C-09", "C-10", "C-11", "C-12", "C-13", "C-14", "C-15", "C-16", "C-17", "C-18", "C-19",
    "C-26", "C-27", "C-28", "C-29", "C-30", "C-31", "C-33", "C-34", "C-35", "C-36", "C-37", "C-48",
)  # fmt: skip
def test_one_long_conversation_trips_no_client():
    events = everything_said()
    assert len({told["type"] for told in events}) > 35
    for told in events:
        check_event(told)
        assert trips(told) == []


ITEM = {"id": "item_1", "object": "realtime.item", "type": "message", "status": "completed"}
USAGE = {"type": "duration", "seconds": 1}
COMPLETED = "conversation.item.input_audio_transcription.completed"


def added(**item: Any) -> dict[str, Any]:
    return {"type": "conversation.item.added", "event_id": "e", "item": {**ITEM, **item}}


def ended(**response: Any) -> dict[str, Any]:
    return {"type": "response.done", "event_id": "e", "response": {"id": "resp_1", "output": [], **response}}


def created(**session: Any) -> dict[str, Any]:
    return {"type": "session.created", "event_id": "e", "session": {"type": "realtime", **session}}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("C-10", {"type": "input_audio_buffer.cleared"}),
    ("C-10", {"type": "response.audio.delta", "event_id": "e"}),
    ("C-11", {"type": "input_audio_buffer.speech_started", "event_id": "e", "audio_start_ms": 50.4, "item_id": "i"}),
    ("C-12", created(audio={"input": {"format": {"type": "audio/pcm", "rate": 16000}}})),
    ("C-12", created(audio={"output": {"format": "pcm16"}})),
    ("C-13", created(audio={"input": {"turn_detection": {"type": "wishful_vad"}}})),
    ("C-14", created(output_modalities=["video"])),
    ("C-15", added(type="reasoning")),
    ("C-16", {"type": "response.content_part.added", "event_id": "e", "part": {"type": "output_audio"}}),
    ("C-17", ended(status_details={"reason": "bored"})),
    ("C-17", ended(metadata={"k": 1})),
    ("C-18", {"type": COMPLETED, "event_id": "e", "usage": None}),
    ("C-18", {"type": "response.function_call_arguments.done", "event_id": "e", "call_id": "c", "arguments": ""}),
    ("C-19", {"type": "error", "event_id": "e", "error": {"message": "no type"}}),
    ("C-19", {"type": "output_audio_buffer.started", "event_id": "e"}),
    ("C-19", {"type": "rate_limits.updated", "event_id": "e", "rate_limits": [{"name": "input_tokens"}]}),
    ("C-28", added(role="user", content=[{"type": "input_audio"}])),
    ("C-29", added(role="user", content=[], name=None)),
    ("C-30", added(role="assistant", content=[{"type": "text", "text": "x"}])),
    ("C-33", ended(audio={"output": {"voice": {"id": "voice_1"}}})),
    ("C-34", {"type": COMPLETED.replace("completed", "failed"), "event_id": "e", "error": {"param": None}}),
    ("C-35", {"type": COMPLETED, "event_id": "e", "usage": {"type": "tokens"}}),
    ("C-36", {"type": "response.mcp_call_arguments.delta", "event_id": "e", "delta": "x"}),
    ("C-37", {"type": "session.created", "event_id": "e"}),
]


@pytest.mark.parametrize(("rule", "wrong"), WRONG, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(WRONG)])
def test_each_rule_sees_what_it_is_for(rule, wrong):
    assert rule in trips(wrong)


def test_no_rule_is_left_untried():
    assert {rule for rule, _ in WRONG} == RULES.keys()


def test_the_sdks_types_are_strict_here():
    with pytest.raises(ValidationError):
        check_event({"type": "conversation.item.deleted", "event_id": "e"})
    with pytest.raises(AssertionError, match="itemid"):
        check_event({"type": "conversation.item.deleted", "event_id": "e", "item_id": "i", "itemid": "i"})


@row("C-07", "C-44")
def test_there_is_no_error_event_without_a_mistake():
    hand = Hand()
    told = [*hand.created, *hand.turn(), *hand.model("resp_1", TextPart("One."), SECOND, Done()), *hand.wait(100)]
    assert told
    assert "error" not in [getattr(each, "type", None) for each in told]


@row("C-32")
def test_a_call_is_completed_once():
    hand = Hand()
    hand.respond()
    told = hand.model("resp_1", CallPart("f"), Arguments("{}"), Done())
    by_name = {each["type"]: each["item"]["status"] for each in told.events if "item" in each}
    assert by_name == {
        "response.output_item.added": "in_progress",
        "conversation.item.added": "in_progress",
        "response.output_item.done": "completed",
        "conversation.item.done": "completed",
    }


# Connecting -----------------------------------------------------------------------------------------


@row("C-03", "C-04", "C-08", "C-45")
async def test_every_way_of_connecting():
    backend = ScriptedBackend()
    browser = [Subprotocol(name) for name in ("realtime", "openai-insecure-api-key.sk-x", "openai-agents-sdk.0.20.0")]
    async with serving(backend) as served:
        for query, how, kind in (
            ("?model=gpt-realtime", {"additional_headers": {"Authorization": "Bearer sk-x"}}, "realtime"),
            ("?intent=transcription", {}, "transcription"),
            ("?model=gpt-realtime", {}, "realtime"),
            ("?model=gpt-realtime", {"subprotocols": browser}, "realtime"),
        ):
            async with connect(f"{served.ws}{query}", **how) as socket:
                assert (await event(socket))["session"]["type"] == kind
        async with connect(f"{served.ws}?model=gpt-realtime", additional_headers=BETA) as socket:
            assert "modalities" in (await event(socket))["session"]


@row("C-05", "C-47")
async def test_a_call_answers_with_sdp_and_its_location():
    calls = Calls()
    async with serving(ScriptedBackend(), answer_call=calls.answer) as served:
        async with httpx.AsyncClient(base_url=served.http) as http:
            placed = await http.post("/v1/realtime/calls", content=OFFER, headers={**SDP, "Accept": "application/sdp"})
            assert (placed.status_code, placed.text) == (201, ANSWER)
            assert placed.headers["location"].split("/")[-1].startswith("rtc_")
            minted = await http.post("/v1/realtime/sessions", json={"model": "gpt-4o-realtime-preview"})
            key = minted.json()["client_secret"]["value"]
            sample = await http.post(
                "/v1/realtime?model=gpt-4o-realtime-preview",
                content=OFFER,
                headers={**SDP, "Authorization": f"Bearer {key}"},
            )
            assert sample.is_success
            assert sample.text == ANSWER


@row("C-06")
def test_an_expired_session_is_one_that_clients_reconnect_after():
    told = Hand().wait(3601)
    assert [getattr(each, "code", None) for each in told][-1] == 1001


# openai-agents-python -------------------------------------------------------------------------------

AGENTS_PYTHON = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "output_modalities": ["audio"],
    "instructions": "Be helpful.",
    "tools": [{"type": "function", "name": "f", "description": "", "parameters": {"type": "object"}, "strict": True}],
    "tool_choice": "auto",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "gpt-4o-mini-transcribe"},
            "turn_detection": {"type": "semantic_vad", "interrupt_response": True},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "ash"},
    },
}


@row("C-21", "C-22", "C-38")
def test_the_full_update_of_agents_sdks_and_the_partial_one_after_it():
    hand = Hand()
    full = hand.say("session.update", session=AGENTS_PYTHON).one("session.updated")["session"]
    assert full["audio"]["input"]["turn_detection"]["interrupt_response"] is True
    partial = {"type": "realtime", "model": "gpt-realtime-2.1", "tracing": "auto"}
    after = hand.say("session.update", session=partial).one("session.updated")["session"]
    assert after == {**full, "tracing": "auto"}
    assert after["model"] == "gpt-realtime"


@row("C-22", "C-41")
def test_a_cancel_beside_our_own_interruption_is_forgiven():
    hand = Hand()
    hand.respond()
    hand.model("resp_1", TextPart("One two."), SECOND)
    hand.voice(64)
    assert hand.say("response.cancel").error["code"] == "response_cancel_not_active"
    cut = {"item_id": "item_1", "content_index": 0, "audio_end_ms": 499}
    assert hand.say("conversation.item.truncate", **cut).types == ["conversation.item.truncated"]
    media = Hand(media=True)
    media.respond()
    media.model("resp_1", TextPart("One two."), SECOND)
    media.say("response.cancel")
    assert "output_audio_buffer.cleared" in media.say("output_audio_buffer.clear").types


@row("C-23", "C-39")
def test_a_cut_rounded_up_and_items_retrieved_at_any_time():
    hand = Hand(audio={"input": {"transcription": {"model": "whisper-1"}}})
    hand.turn()
    hand.heard("item_1", "hello")
    hand.model("resp_1", TextPart("One."), AudioPart(bytes(2402), 1201))
    hand.voice(64)
    told = hand.say("conversation.item.truncate", item_id="item_2", content_index=0, audio_end_ms=51)
    assert told.types == ["conversation.item.truncated"]
    for item_id in ("item_1", "item_2"):
        assert hand.say("conversation.item.retrieve", item_id=item_id).command(Retrieve).item_id == item_id


@row("C-39")
def test_mcp_items_are_retrieved_while_they_are_in_progress():
    hand = Hand()
    server = {"type": "mcp", "server_label": "s", "server_url": "https://s.example/mcp"}
    told = hand.update(tools=[server])
    item_id = told.one("mcp_list_tools.in_progress")["item_id"]
    assert (
        hand.say("conversation.item.retrieve", item_id=item_id).command(Retrieve).event["item"]["type"]
        == "mcp_list_tools"
    )


@row("C-24", "C-40")
@pytest.mark.parametrize("event_id", ["agents_py_response_create_1", "agents_js_response_create_1"])
def test_the_id_of_a_refused_response_comes_back(event_id):
    hand = Hand()
    hand.respond()
    for response in ({}, {"output_modalities": ["video"]}):
        told = hand.say("response.create", event_id=event_id, response=response)
        assert told.error["event_id"] == event_id


@row("C-42")
def test_a_history_is_deleted_and_put_back():
    hand = Hand()
    for name in "abc":
        hand.create(name, id=name)
    for name in "abc":
        assert hand.say("conversation.item.delete", item_id=name).types == ["conversation.item.deleted"]
    before = [hand.create(name, id=name).events[0]["previous_item_id"] for name in "abc"]
    assert before == [None, "a", "b"]


@row("C-46")
async def test_a_beta_client_is_told_of_items_in_the_order_in_which_it_builds_them():
    async with serving(Builtin(senses(), lambda: 0.0)) as served:
        async with connect(served.ws, additional_headers=BETA) as socket:
            await event(socket)
            content = [{"type": "input_text", "text": "hello"}]
            item = {"type": "message", "role": "user", "content": content}
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            told = await event(socket)
            assert told["type"] == "conversation.item.created"
            assert told["event_id"]
            assert told["item"]["content"] == content
