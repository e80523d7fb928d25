"""What is written down of an answer that somebody spoke over is what the engine itself knows to have been heard."""

import pytest

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says
from tests.support.virtual_time import virtual_time
from vivavoce.protocol.frame import PLAYED, Frame
from vivavoce.sessions.observers.transcript import Transcript
from vivavoce.store.items import Item

ANSWER = "One, two three four five. Six seven eight nine ten eleven. Twelve."
WORD_MS = 200


@pytest.mark.parametrize("media", [True, False], ids=["on a track", "on a WebSocket"])
@pytest.mark.parametrize("heard_ms", [0, 190, 1_000, 1_510, 2_390])
@virtual_time
async def test_what_was_heard(heard_ms: int, media: bool):
    given = senses(llm=FakeLlm(says(ANSWER), says("Yes.")), tts=FakeTts(word_ms=WORD_MS), stt=FakeStt("stop"))
    async with session(given, media=media) as hand:
        await hand.say("response.create")
        await hand.until("response.done")
        item_id = next(frame.data["item_id"] for frame in hand.seen if frame.audio)
        if media:
            data = {"item_id": item_id, "audio_ms": heard_ms, "drained": False}
            await hand.line.send(Frame(PLAYED, {"type": PLAYED, **data}))
            await hand.speak(300, silence_ms=800)
        else:
            await hand.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)
        await hand.until("conversation.item.truncated")
        await hand.say("conversation.item.retrieve", item_id=item_id)
        (known,) = (await hand.until("conversation.item.retrieved"))["item"]["content"]
    transcript = Transcript(lambda: 0.0, media=media)
    written: dict[str, Item] = {}
    for frame in hand.seen:
        if frame.audio:
            transcript.sound(frame)
        written |= {item.id: item for item in transcript.told(frame)}
    assert written[item_id].words == known["transcript"]
    assert written[item_id].ms == heard_ms
    assert len(written[item_id].words.split()) <= heard_ms / WORD_MS + 1
