"""The session object: its defaults, its fields, and the rules of an update (S)."""

from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.conformance.live import event
from tests.conformance.rows import row
from tests.engine.support import senses, session
from tests.protocol.hand import Hand
from tests.support.fake_models import FakeStt
from tests.support.serving import serving
from tests.support.virtual_time import virtual_time
from vivavoce.backends.builtin import Builtin
from vivavoce.protocol.session.commands import MayEnd, Start, Transcribe
from vivavoce.protocol.session.config import Defaults, defaults
from vivavoce.protocol.session.parts import AudioPart, Done, TextPart
from vivavoce.protocol.session.transcription import Heard

SECOND = AudioPart(bytes(48_000), 24_000)
IN = "session.audio.input"


def view(hand: Hand | None = None) -> dict[str, Any]:
    return (hand or Hand()).session.view()


def hearing(hand: Hand) -> dict[str, Any]:
    return dict(view(hand)["audio"]["input"])


def detection(**fields: Any) -> dict[str, Any]:
    return {"audio": {"input": {"turn_detection": fields}}}


def taken(**update: Any) -> dict[str, Any]:
    """The session after an update that is right."""
    hand = Hand()
    assert hand.update(**update).types == ["session.updated"]
    return view(hand)


def refused(**update: Any) -> tuple[str | None, str | None]:
    hand = Hand()
    told = hand.update(**update)
    assert view(hand) == view()
    return told.refusal


# Defaults -------------------------------------------------------------------------------------------


@row("S-01")
def test_what_a_session_is():
    head = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": "gpt-realtime"}
    assert view().items() >= {**head, "expires_at": 3600}.items()


@row("S-02")
def test_one_modality():
    assert view()["output_modalities"] == ["audio"]
    assert taken(output_modalities=["text"])["output_modalities"] == ["text"]
    for wrong in (["audio", "text"], []):
        assert refused(output_modalities=wrong) == ("invalid_value", "session.output_modalities")


@row("S-03")
def test_instructions():
    assert view()["instructions"]
    assert taken(instructions="")["instructions"] == ""


@row("S-04", "S-05", "S-06", "S-07", "S-08", "S-09")
def test_every_default_is_on_the_wire():
    shown = view()
    plain: dict[str, Any] = {
        "tools": [], "tool_choice": "auto", "max_output_tokens": "inf", "tracing": None, "truncation": "auto",
        "prompt": None, "include": None,
    }  # fmt: skip
    assert {key: shown[key] for key in plain} == plain
    pcm = {"type": "audio/pcm", "rate": 24000}
    assert shown["audio"] == {
        "input": {
            "format": pcm,
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": pcm, "voice": "marin", "speed": 1.0},
    }


@row("S-07")
def test_the_silence_that_ends_a_turn_is_configurable():
    config = defaults("realtime", Defaults(silence_duration_ms=500))
    assert hearing(Hand(config=config))["turn_detection"]["silence_duration_ms"] == 500


# Audio ----------------------------------------------------------------------------------------------


@row("S-10", "S-11")
def test_formats():
    for format in ({"type": "audio/pcm", "rate": 24000}, {"type": "audio/pcmu"}, {"type": "audio/pcma"}):
        assert taken(audio={"input": {"format": format}})["audio"]["input"]["format"] == format
    shown = taken(audio={"input": {"format": {"type": "audio/pcm"}}})
    assert shown["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert refused(audio={"input": {"format": {"type": "audio/pcm", "rate": 8000}}}) == (
        "invalid_value", f"{IN}.format.rate",
    )  # fmt: skip
    assert refused(audio={"input": {"format": "pcm16"}}) == ("invalid_type", f"{IN}.format")


@row("S-12")
def test_formats_are_independent_and_only_echoed_on_webrtc():
    both = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}}
    for media, made in ((False, "Pcma"), (True, "Pcm")):
        hand = Hand(media=media, audio=both)
        assert view(hand)["audio"]["input"]["format"] == {"type": "audio/pcmu"}
        assert view(hand)["audio"]["output"]["format"] == {"type": "audio/pcma"}
        assert type(hand.respond().command(Start).context.format).__name__ == made


@row("S-13")
@pytest.mark.parametrize("voice", ["alloy", "cedar", "anybody", {"id": "voice_1"}])
def test_any_voice(voice):
    assert taken(audio={"output": {"voice": voice}})["audio"]["output"]["voice"] == voice


@row("S-14")
def test_speed():
    for speed in (0.25, 1, 1.5):
        assert taken(audio={"output": {"speed": speed}})["audio"]["output"]["speed"] == speed
    for speed in (0.24, 1.51):
        assert refused(audio={"output": {"speed": speed}}) == ("invalid_value", "session.audio.output.speed")


@row("S-15")
def test_the_voice_is_locked_by_the_assistants_sound():
    hand = Hand(audio={"output": {"voice": "ash"}})
    hand.respond()
    hand.model("resp_1", TextPart("Hello."), SECOND, Done())
    told = hand.update(instructions="New.", audio={"output": {"voice": "alloy"}})
    assert told.refusal == ("cannot_update_voice", "session.audio.output.voice")
    assert view(hand)["instructions"] != "New."
    assert hand.update(audio={"output": {"voice": "ash"}}).types == ["session.updated"]


@row("S-16")
def test_the_model_stays_without_an_error():
    assert taken(model="gpt-realtime-2.1")["model"] == "gpt-realtime"


# Turn detection -------------------------------------------------------------------------------------


@row("S-17", "S-18")
def test_server_vad_and_off():
    assert taken(audio={"input": {"turn_detection": None}})["audio"]["input"]["turn_detection"] is None
    assert refused(**detection()) == ("missing_required_parameter", f"{IN}.turn_detection.type")
    asked = {
        "type": "server_vad", "threshold": 0.9, "prefix_padding_ms": 0, "silence_duration_ms": 900,
        "idle_timeout_ms": 5000, "create_response": False, "interrupt_response": False,
    }  # fmt: skip
    assert taken(**detection(**asked))["audio"]["input"]["turn_detection"] == asked
    for field, value in (("threshold", 1.1), ("idle_timeout_ms", 4999), ("idle_timeout_ms", 30_001)):
        wrong = refused(**detection(type="server_vad", **{field: value}))
        assert wrong == ("invalid_value", f"{IN}.turn_detection.{field}")


@row("S-19")
@pytest.mark.parametrize(("eagerness", "seconds"), [("low", 8), ("medium", 4), ("auto", 4), ("high", 2)])
def test_semantic_vad_waits_at_the_longest(eagerness, seconds):
    hand = Hand(**detection(type="semantic_vad", eagerness=eagerness))
    hand.voice(512)
    told = hand.silence(seconds * 1000 - 64)
    assert told.command(MayEnd).wanted
    assert not told.types
    assert "input_audio_buffer.speech_stopped" in hand.silence(96).types
    assert refused(**detection(type="semantic_vad", threshold=0.5))[0] == "unknown_parameter"


@row("S-20")
@pytest.mark.parametrize("interrupts", [True, False])
def test_committed_and_not_answered(interrupts):
    hand = Hand(**detection(type="server_vad", create_response=False, interrupt_response=interrupts))
    assert hand.turn().types == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]


@row("S-21")
def test_turns_during_an_answer_that_goes_on_are_answered_once():
    hand = Hand(**detection(type="server_vad", interrupt_response=False))
    hand.respond()
    for _ in range(3):
        assert not {"response.done", "response.created", "error"} & set(hand.turn().types)
    assert hand.model("resp_1", Done()).types == ["response.done", "response.created"]
    assert hand.model("resp_2", Done()).types == ["response.done"]


@row("S-22")
def test_the_idle_timer_counts_from_the_end_of_what_is_heard():
    hand = Hand(**detection(type="server_vad", idle_timeout_ms=5000))
    hand.audio(500)
    assert hand.wait(100) == []  # nothing was said yet
    hand.respond()
    hand.model("resp_1", TextPart("Hello."), SECOND, SECOND, Done())
    assert hand.wait(6.9) == []
    assert "input_audio_buffer.timeout_triggered" in hand.wait(0.2).types
    semantic = Hand(**detection(type="semantic_vad"))
    semantic.respond()
    semantic.model("resp_1", TextPart("Hello."), Done())
    assert semantic.wait(100) == []


@row("S-23")
def test_a_transcription_session_never_answers():
    hand = Hand(kind="transcription", **detection(type="server_vad", create_response=True, interrupt_response=True))
    assert not [name for name in hand.turn().types if name.startswith("response.")]


# Other fields ---------------------------------------------------------------------------------------


@row("S-25")
def test_noise_reduction():
    hand = Hand()
    hand.hearing(noise_reduction={"type": "near_field", "strength": 0.5})
    hand.hearing(noise_reduction={"type": "far_field"})
    assert hearing(hand)["noise_reduction"] == {"type": "far_field", "strength": 0.5}
    hand.hearing(noise_reduction=None)
    assert hearing(hand)["noise_reduction"] is None
    wrong = hand.hearing(noise_reduction={"type": "no_field"})
    assert wrong.refusal == ("invalid_value", f"{IN}.noise_reduction.type")


@row("S-26")
@virtual_time
async def test_transcription_and_its_hints():
    asked = {
        "model": "gpt-4o-transcribe", "language": "de", "prompt": "Namen", "languages": ["de"], "keywords": ["Orb"],
        "delay": "low",
    }  # fmt: skip
    assert taken(audio={"input": {"transcription": asked}})["audio"]["input"]["transcription"] == asked
    stt = FakeStt("hallo")
    config = {"audio": {"input": {"transcription": asked, "turn_detection": None}}}
    async with session(senses(stt=stt), config=config) as hand:
        await hand.speak(300)
        await hand.say("input_audio_buffer.commit")
        await hand.until("conversation.item.input_audio_transcription.completed")
    assert (stt.asked[0].hints.language, stt.asked[0].hints.prompt) == ("de", "Namen")


@row("S-27")
def test_logprobs_come_where_they_are_asked_for_and_known():
    logprobs = ["item.input_audio_transcription.logprobs"]
    for include, known in ((logprobs, True), (None, True), (logprobs, False)):
        hand = Hand(include=include, audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}})
        hand.turn()
        hand.session.transcript("item_1", Heard("hi", (("hi", -0.5),) if known else None))
        for told in hand.told().events:
            shown = [{"token": "hi", "logprob": -0.5, "bytes": [104, 105]}] if include and known else None
            assert told.get("logprobs") == shown


@row("S-28")
def test_tracing_is_kept_once_it_is_on():
    hand = Hand(tracing={"workflow_name": "w", "group_id": "g", "metadata": {"k": "v"}})
    assert view(hand)["tracing"] == {"workflow_name": "w", "group_id": "g", "metadata": {"k": "v"}}
    assert hand.update(tracing="auto").refusal == ("invalid_value", "session.tracing")
    assert hand.update(instructions="x").types == ["session.updated"]


@row("S-29")
def test_truncation_leaves_out_the_oldest_or_is_an_error():
    hand = Hand(instructions="Kept.", tools=[{"type": "function", "name": "kept"}])
    for _ in range(4):
        hand.create("word " * 10_000)  # 12,500 tokens
    context = hand.respond(conversation="none").command(Start).context
    assert [item.id for item in context.items] == ["item_3", "item_4"]
    assert (context.instructions, context.tools[0].name) == ("Kept.", "kept")
    full = Hand(truncation="disabled")
    full.create("word " * 30_000)
    assert full.respond().error["code"] == "context_length_exceeded"
    ratio = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 26_000}}
    hand.update(truncation=ratio)
    hand.create("word " * 10_000)
    assert len(hand.respond(conversation="none").command(Start).context.items) == 1


@row("S-30")
def test_max_output_tokens():
    for limit in (1, 4096, "inf"):
        assert taken(max_output_tokens=limit)["max_output_tokens"] == limit
    for limit in (0, 4097, "some"):
        assert refused(max_output_tokens=limit) == ("invalid_value", "session.max_output_tokens")
    hand = Hand(max_output_tokens=7)
    assert hand.respond().command(Start).context.max_output_tokens == 7
    done = hand.model("resp_1", TextPart("Once"), Done("max_output_tokens")).one("response.done")["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")


@row("S-31")
def test_tools():
    function = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
    mcp = {
        "type": "mcp", "server_label": "s", "server_url": "https://s.example/mcp", "authorization": "x",
        "headers": {"X-Key": "y"}, "allowed_tools": {"tool_names": ["a"], "read_only": True},
        "require_approval": {"never": {"tool_names": ["a"]}}, "server_description": "d", "defer_loading": False,
    }  # fmt: skip
    hand = Hand()
    told = hand.update(tools=[function, mcp])
    assert "session.updated" in told.types
    shown = view(hand)["tools"]
    assert shown[0] == function
    assert shown[1]["server_label"] == "s"


@row("S-32")
@pytest.mark.parametrize(
    "choice",
    [
        "none", "auto", "required", {"type": "function", "name": "f"},
        {"type": "mcp", "server_label": "s"}, {"type": "mcp", "server_label": "s", "name": "t"},
    ],
)  # fmt: skip
def test_tool_choice(choice):
    assert taken(tool_choice=choice)["tool_choice"] == choice


@row("S-33")
def test_what_newer_models_have_is_taken():
    shown = taken(parallel_tool_calls=True, reasoning={"effort": "low"})
    assert (shown["parallel_tool_calls"], shown["reasoning"]) == (True, {"effort": "low"})


@row("S-34")
def test_a_stored_prompt_is_refused_clearly():
    hand = Hand()
    told = hand.update(prompt={"id": "pmpt_1", "variables": {"k": "v"}})
    assert told.refusal == ("invalid_value", "session.prompt")
    assert "instructions" in told.error["message"]
    assert hand.respond(prompt={"id": "pmpt_1"}).refusal == ("invalid_value", "response.prompt")


@row("S-36")
@pytest.mark.parametrize(
    "model",
    [
        "gpt-realtime", "gpt-realtime-1.5", "gpt-realtime-2", "gpt-realtime-2.1", "gpt-realtime-2.1-mini",
        "gpt-realtime-mini", "gpt-realtime-2025-08-28", "gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview",
        "gpt-audio",
    ],
)  # fmt: skip
async def test_models_that_clients_have_built_in(model):
    async with serving(Builtin(senses(), lambda: 0.0)) as served, connect(f"{served.ws}?model={model}") as socket:
        assert (await event(socket))["session"]["model"] == model


@row("S-35")
def test_metadata():
    hand = Hand()
    for wrong in ({str(n): "v" for n in range(17)}, {"k" * 65: "v"}, {"k": "v" * 513}, {"k": 1}):
        assert hand.respond(metadata=wrong).error["param"] == "response.metadata"
    most = {f"{n:064}": "v" * 512 for n in range(16)}
    assert hand.respond(metadata=most).one("response.created")["response"]["metadata"] == most


# Updates --------------------------------------------------------------------------------------------


@row("S-37")
def test_an_update_merges_at_any_depth():
    hand = Hand(instructions="Hm.", tools=[{"type": "function", "name": "f"}], audio={"output": {"voice": "ash"}})
    before = view(hand)
    hand.update(tracing="auto")
    assert view(hand) == {**before, "tracing": "auto"}
    hand.update(tools=[], instructions="", audio={"input": {"transcription": {"model": "whisper-1"}}})
    hand.hearing(transcription={"language": "de"})
    assert hearing(hand)["transcription"] == {"model": "whisper-1", "language": "de"}
    hand.hearing(transcription=None)
    after = view(hand)
    assert (after["tools"], after["instructions"], hearing(hand)["transcription"]) == ([], "", None)
    assert after["audio"]["output"]["voice"] == "ash"


@row("S-38")
def test_turn_detection_merges_within_its_type():
    hand = Hand(**detection(type="server_vad", threshold=0.8))
    hand.update(**detection(type="server_vad", silence_duration_ms=700))
    assert hearing(hand)["turn_detection"].items() >= {"threshold": 0.8, "silence_duration_ms": 700}.items()
    hand.update(**detection(type="semantic_vad"))
    assert hearing(hand)["turn_detection"] == {
        "type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True,
    }  # fmt: skip


@row("S-39", "S-40")
def test_a_missing_type_and_unknown_keys():
    hand = Hand()
    told = hand.say("session.update", session={"instructions": "x"})
    assert told.refusal == ("missing_required_parameter", "session.type")
    told = hand.update(modalities=["text"])
    assert told.refusal == ("unknown_parameter", "session.modalities")
    assert told.error["message"] == "Unknown parameter: 'session.modalities'."
    assert hand.hearing(volume=1).refusal == ("unknown_parameter", f"{IN}.volume")


@row("S-41")
def test_bad_values_and_wrong_types():
    assert refused(audio={"input": {"transcription": {"delay": "x"}}}) == ("invalid_value", f"{IN}.transcription.delay")
    assert refused(instructions=7) == ("invalid_type", "session.instructions")


@row("S-42")
def test_all_or_nothing_and_one_event_for_it():
    assert refused(instructions="New.", output_modalities=["video"])[0] == "invalid_value"
    told = Hand().say("session.update", event_id="mine", session={"type": "realtime", "instructions": "New."})
    assert told.types == ["session.updated"]
    assert told.events[0]["event_id"] != "mine"


@row("S-43")
@pytest.mark.parametrize(("kind", "other"), [("realtime", "transcription"), ("transcription", "realtime")])
def test_a_session_keeps_its_type(kind, other):
    told = Hand(kind=kind).say("session.update", session={"type": other})
    assert told.refusal == ("invalid_value", "session.type")


@row("S-44")
def test_a_transcription_session():
    shown = view(Hand(kind="transcription"))
    assert (shown["type"], shown["object"]) == ("transcription", "realtime.transcription_session")
    assert shown.keys() == {"type", "object", "id", "expires_at", "audio", "include"}
    assert shown["audio"].keys() == {"input"}
    assert shown["audio"]["input"].keys() == {"format", "transcription", "noise_reduction", "turn_detection"}


@row("S-45")
def test_an_update_in_mid_speech_keeps_audio_and_turn():
    hand = Hand()
    hand.voice(320)
    hand.update(instructions="New.", **detection(type="server_vad", silence_duration_ms=300))
    hand.hearing(turn_detection=None)
    hand.update(**detection(type="server_vad"))
    told = hand.silence(320)
    span = told.command(Transcribe).span
    assert (span.start, span.end, told.command(Transcribe).item_id) == (0, 544 * 24, "item_1")


@row("S-46")
def test_a_session_lasts_an_hour():
    hand = Hand()
    assert hand.wait(3599) == []
    assert hand.wait(2).names == ["error", "Close"]
