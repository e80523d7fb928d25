"""What a response and a transcription cost (U)."""

from typing import Any

from tests.conformance.rows import row
from tests.protocol.hand import Hand
from vivavoce.protocol.session.parts import AudioPart, Done, Failed, TextPart, Usage

SECOND = AudioPart(bytes(48_000), 24_000)


def usage_of(hand: Hand, *parts: Any) -> dict[str, Any]:
    number = hand.respond().one("response.created")["response"]["id"]
    told = hand.model(number, *parts)
    return dict(told.one("response.done")["response"]["usage"])


@row("U-01", "U-02")
def test_every_count_is_there_under_its_name_and_whole():
    usage = usage_of(Hand(), TextPart("Yes."), SECOND, Done())
    assert usage.keys() == {
        "total_tokens", "input_tokens", "output_tokens", "input_token_details", "output_token_details",
    }  # fmt: skip
    given, made = usage["input_token_details"], usage["output_token_details"]
    assert given.keys() == {"text_tokens", "audio_tokens", "image_tokens", "cached_tokens", "cached_tokens_details"}
    assert given["cached_tokens_details"].keys() == {"text_tokens", "audio_tokens", "image_tokens"}
    assert made.keys() == {"text_tokens", "audio_tokens"}
    counts = [value for each in (usage, given, made) for value in each.values() if not isinstance(value, dict)]
    assert all(type(value) is int for value in counts)


@row("U-03")
def test_null_at_the_start_zeros_after_a_failure_and_what_was_made_after_a_cancel():
    hand = Hand()
    assert hand.respond().one("response.created")["response"]["usage"] is None
    failed = hand.model("resp_1", TextPart("Yes."), Failed("model_error", "no")).one("response.done")["response"]
    assert failed["usage"]["total_tokens"] == 0
    hand.respond()
    hand.model("resp_2", TextPart("Yes."), SECOND)
    cancelled = hand.say("response.cancel").one("response.done")["response"]
    assert cancelled["usage"]["output_token_details"] == {"text_tokens": 1, "audio_tokens": 20}


@row("U-04")
def test_the_sums_are_right():
    hand = Hand()
    hand.turn()
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    hand.say("conversation.item.create", item={"type": "message", "role": "user", "content": [image]})
    hand.say("response.cancel")
    usage = usage_of(hand, TextPart("Yes."), SECOND, Done("stop", Usage(None, None, 5)))
    given, made = usage["input_token_details"], usage["output_token_details"]
    assert min(given["audio_tokens"], given["image_tokens"], given["text_tokens"]) > 0
    assert usage["input_tokens"] == given["text_tokens"] + given["audio_tokens"] + given["image_tokens"]
    assert usage["output_tokens"] == made["text_tokens"] + made["audio_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert given["cached_tokens"] == 5 == sum(given["cached_tokens_details"].values())


@row("U-05")
def test_ten_tokens_a_second_of_the_user_and_twenty_of_the_assistant():
    hand = Hand()
    hand.audio(3000)
    hand.say("input_audio_buffer.commit")
    usage = usage_of(hand, TextPart("Yes."), SECOND, SECOND, Done())
    assert usage["input_token_details"]["audio_tokens"] == 30
    assert usage["output_token_details"]["audio_tokens"] == 40


@row("U-06")
def test_the_whole_context_counts_each_time():
    hand = Hand(output_modalities=["text"])
    counts = [usage_of(hand, TextPart("four"), Done())["input_tokens"] for _ in range(3)]
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]


@row("U-07", "U-08")
def test_transcription_has_its_own_usage_by_the_kind_of_its_model():
    hand = Hand()
    for model, item_id, usage in (
        ("whisper-1", "item_1", {"type": "duration", "seconds": 2}),
        (
            "gpt-4o-transcribe",
            "item_2",
            {
                "type": "tokens",
                "total_tokens": 15,
                "input_tokens": 12,
                "output_tokens": 3,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 12},
            },
        ),
    ):
        hand.hearing(turn_detection=None, transcription={"model": model})
        hand.audio(1200)
        hand.say("input_audio_buffer.commit")
        told = hand.heard(item_id, "well, yes")
        delta, completed = told.events
        assert "usage" not in delta
        assert completed["usage"] == usage


@row("U-09")
def test_the_response_object_is_whole_in_created_and_done():
    hand = Hand()
    created = hand.respond(metadata={"k": "v"}).one("response.created")["response"]
    done = hand.model("resp_1", TextPart("Yes."), Done()).one("response.done")["response"]
    assert created.keys() == done.keys() == {
        "id", "object", "status", "status_details", "output", "conversation_id", "output_modalities",
        "max_output_tokens", "audio", "usage", "metadata",
    }  # fmt: skip
    assert created["object"] == done["object"] == "realtime.response"
    assert created["audio"] == {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}}
