"""Models that fail, clients that are wrong or leave: the session goes on, or ends without a trace."""

import asyncio

import pytest

from tests.engine.support import SILENCE_20_MS, Hand, senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.audio import g711
from vivavoce.engine.mcp import McpServers
from vivavoce.models.interfaces import ModelError
from vivavoce.protocol.frame import APPEND, Closed, Frame
from vivavoce.protocol.session.listening import STALL_SECONDS


@virtual_time
async def test_a_mind_that_fails_fails_the_response_in_words_and_the_next_one_works():
    llm = FakeLlm([ModelError("The model is not reachable; start it.")], says("Here again."))
    async with session(senses(llm=llm)) as hand:
        await hand.say("response.create")
        done = await hand.until("response.done")
        assert done["response"]["status"] == "failed"
        assert done["response"]["status_details"]["error"]["message"] == "The model is not reachable; start it."
        assert done["response"]["usage"]["total_tokens"] == 0
        await hand.say("response.create")
        assert (await hand.until("response.done"))["response"]["status"] == "completed"


@virtual_time
async def test_a_voice_that_fails_closes_what_it_opened():
    tts = FakeTts(failure=ModelError("No voice."))
    async with session(senses(llm=FakeLlm(says("Hello there.")), tts=tts)) as hand:
        await hand.say("response.create")
        done = await hand.until("response.done")
    assert done["response"]["status"] == "failed"
    assert done["response"]["output"][0]["status"] == "incomplete"
    assert "response.output_item.done" in hand.types


@virtual_time
async def test_a_fault_of_ours_is_not_told_in_its_own_words(caplog: pytest.LogCaptureFixture):
    async with session(senses(llm=FakeLlm([RuntimeError("password=hunter2")]))) as hand:
        await hand.say("response.create")
        done = await hand.until("response.done")
    error = done["response"]["status_details"]["error"]
    assert error["code"] == "internal_error"
    assert "hunter2" not in str(error)
    assert "an answer failed by a fault of ours" in caplog.text


@virtual_time
async def test_recognition_that_fails_is_told_and_the_answer_comes_all_the_same():
    given = senses(stt=FakeStt(ModelError("Cannot hear.")), llm=FakeLlm(says("Pardon?")))
    async with session(given) as hand:
        await hand.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        await hand.speak(400, silence_ms=300)
        failed = await hand.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["message"] == "Cannot hear."
        assert (await hand.until("response.done"))["response"]["status"] == "completed"


@virtual_time
async def test_odd_audio_is_refused_and_the_session_goes_on():
    async with session(senses()) as hand:
        await hand.line.send(Frame(APPEND, {"type": APPEND, "event_id": "mine"}, b"123"))
        error = (await hand.until("error"))["error"]
        assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "audio", "mine")
        await hand.line.send(Frame(APPEND, {"type": APPEND}, SILENCE_20_MS))
        await hand.say("input_audio_buffer.clear")
        await hand.until("input_audio_buffer.cleared")


@virtual_time
async def test_a_stream_that_stops_in_mid_speech_ends_its_turn_by_the_clock():
    given = senses(stt=FakeStt("hello"), llm=FakeLlm(says("Hi.")))
    async with session(given) as hand:
        await hand.speak(500)
        stopped = await hand.until("input_audio_buffer.speech_stopped")
        assert asyncio.get_running_loop().time() == pytest.approx(STALL_SECONDS)
        assert stopped["audio_end_ms"] == 500
        await hand.until("response.done")


@virtual_time
async def test_who_leaves_in_mid_sentence_leaves_nothing_running():
    tts = FakeTts(chunk_delay=1.0)
    stt = FakeStt("tell me", delay=60.0)
    async with session(senses(stt=stt, llm=FakeLlm(says("A long story.")), tts=tts)) as hand:
        await hand.say("response.create", response={"conversation": "none"})
        await hand.until("response.output_audio.delta")
        await hand.speak(400, silence_ms=300)
        await hand.until("input_audio_buffer.committed")
        line = hand.line
    assert tts.asked[0].state == "cancelled"
    assert stt.asked[0].state == "cancelled"
    with pytest.raises(Closed):
        await line.send(Frame(APPEND, {"type": APPEND}, SILENCE_20_MS))


@virtual_time
async def test_an_hour_is_the_end_and_it_is_told():
    async with session(senses()) as hand:
        error = (await hand.until("error"))["error"]
        assert error["code"] == "session_expired"
        with pytest.raises(Closed) as closed:
            await hand.line.receive()
    assert closed.value.code == 1001


@virtual_time
async def test_on_a_media_track_the_answer_is_flushed_and_cut_to_what_was_heard():
    given = senses(stt=FakeStt("stop"), llm=FakeLlm(says("one two three four five six seven eight"), says("Fine.")))
    async with session(given, media=True) as hand:
        await hand.say("response.create")
        await hand.until("response.done")
        item = next(f.data["item_id"] for f in hand.seen if f.type == "response.output_audio.delta")
        await hand.line.send(Frame("media.played", {"item_id": item, "audio_ms": 400, "drained": False}))
        hand.seen.clear()
        await hand.hear(tone(200))
        truncated = await hand.until("conversation.item.truncated")
    wanted = ("media.flush", "input_audio_buffer.speech_started", "output_audio_buffer.cleared")
    assert tuple(type for type in hand.types if type in wanted) == wanted
    assert truncated["audio_end_ms"] == 400


@virtual_time
async def test_words_are_cut_with_their_sound():
    async with session(senses(llm=FakeLlm(says("one two three four five six seven eight")))) as hand:
        await hand.say("response.create")
        done = await hand.until("response.done")
        item = done["response"]["output"][0]["id"]
        await hand.say("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=400)
        await hand.until("conversation.item.truncated")
        await hand.say("conversation.item.retrieve", item_id=item)
        kept = (await hand.until("conversation.item.retrieved"))["item"]["content"][0]
    assert kept["transcript"] == "one two three four"
    assert len(kept["audio"]) == 400 * 48 * 4 // 3


@virtual_time
async def test_a_telephone_gets_its_format_both_ways():
    given = senses(stt=FakeStt("hello"), llm=FakeLlm(says("Hi.")))
    telephone = {"format": {"type": "audio/pcmu"}}
    async with session(given, config={"audio": {"input": telephone, "output": telephone}}) as hand:
        await say_in_ulaw(hand, tone(400, rate=8000) + bytes(2 * 8 * 300))
        await hand.until("response.done")
    assert abs(len(hand.sound()) - 800) < 10, "100 ms at 8 kHz, one byte a sample"
    assert len(given.stt.asked[0].pcm) > 2 * 16 * 400  # type: ignore[attr-defined]


async def say_in_ulaw(hand: Hand, pcm: bytes) -> None:
    data = g711.ulaw_encode(pcm)
    for at in range(0, len(data), 160):
        await hand.line.send(Frame(APPEND, {"type": APPEND}, data[at : at + 160]))


async def test_a_session_that_cannot_begin_ends_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(McpServers, "__init__", None)
    async with asyncio.timeout(5), session(senses()) as hand:
        with pytest.raises(Closed, match="internal error"):
            await hand.until("never")
