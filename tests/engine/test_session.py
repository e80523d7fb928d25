import asyncio

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says
from tests.support.virtual_time import virtual_time


@virtual_time
async def test_a_spoken_turn_is_answered_in_the_order_of_the_protocol():
    given = senses(stt=FakeStt("what time is it"), llm=FakeLlm(says("It is noon.")))
    async with session(given) as hand:
        await hand.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        await hand.speak(600, silence_ms=300)
        done = await hand.until("response.done")
    assert hand.types == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        *["response.output_audio.delta"] * 6,
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert done["response"]["status"] == "completed"
    assert done["response"]["output"][0]["content"] == [{"type": "output_audio", "transcript": "It is noon."}]
    assert len(hand.sound()) == 2 * 24 * 300


@virtual_time
async def test_the_first_clause_sounds_while_the_mind_still_thinks():
    llm = FakeLlm(says("One two three four five six seven eight nine ten eleven.", pause=0.1))
    async with session(senses(llm=llm)) as hand:
        loop = asyncio.get_running_loop()
        await hand.say("response.create")
        await hand.until("response.output_audio.delta")
        assert loop.time() < 1.0
        await hand.until("response.done")
        assert loop.time() > 1.05


@virtual_time
async def test_who_speaks_over_the_answer_silences_it():
    tts = FakeTts(chunk_delay=0.05)
    given = senses(stt=FakeStt("stop"), llm=FakeLlm(says("A long answer that goes on."), says("Sorry.")), tts=tts)
    async with session(given) as hand:
        await hand.say("response.create")
        await hand.until("response.output_audio.delta")
        await hand.speak(400)
        cancelled = await hand.until("response.done")
        assert cancelled["response"]["status"] == "cancelled"
        assert cancelled["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        await hand.hear(bytes(48 * 300))
        done = await hand.until("response.done")
        assert done["response"]["status"] == "completed"
    assert tts.asked[0].state == "cancelled"


@virtual_time
async def test_recognition_begins_in_the_pause_and_its_words_are_there_when_the_turn_ends():
    stt = FakeStt("hello", delay=0.1)
    async with session(senses(stt=stt, llm=FakeLlm(says("Hi.")))) as hand:
        await hand.speak(400, silence_ms=150)
        await asyncio.sleep(0.1)  # the pause is heard as it passes
        await hand.hear(bytes(48 * 100))
        began = asyncio.get_running_loop().time()
        await hand.until("response.output_audio.delta")
        assert asyncio.get_running_loop().time() == began
    assert len(stt.asked) == 1


@virtual_time
async def test_a_draft_is_dropped_without_a_trace_when_the_speaker_goes_on():
    stt = FakeStt("never seen", "all of it", delay=1.0)
    async with session(senses(stt=stt, llm=FakeLlm(says("Yes.")))) as hand:
        await hand.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        await hand.speak(400, silence_ms=150)
        await asyncio.sleep(0.1)
        await hand.speak(400, silence_ms=60)
        await hand.hear(bytes(48 * 300))
        heard = await hand.until("conversation.item.input_audio_transcription.completed")
    assert heard["transcript"] == "all of it"
    assert [asked.state for asked in stt.asked] == ["cancelled", "done"]


@virtual_time
async def test_a_semantic_turn_waits_after_a_word_that_leads_on():
    given = senses(stt=FakeStt("tell me about paris and", "tell me about paris and london"), llm=FakeLlm(says("Yes.")))
    async with session(given) as hand:
        await hand.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
        await hand.speak(400, silence_ms=1000)
        await asyncio.sleep(0)
        await hand.speak(400, silence_ms=700)
        stopped = await hand.until("input_audio_buffer.speech_stopped")
    assert stopped["audio_end_ms"] > 2300
    assert hand.types.count("input_audio_buffer.speech_started") == 1
