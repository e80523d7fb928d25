"""A client that plays by itself is told to stand still, and to go on."""

from tests.engine.support import senses, session
from tests.support.fake_models import FakeLlm, FakeStt, FakeTts, says, tone
from tests.support.virtual_time import virtual_time
from vivavoce.protocol.frame import HOLD
from vivavoce.sessions.notices import Notices
from vivavoce.sessions.observers.held import Held


@virtual_time
async def test_a_cough_over_an_answer_that_the_client_plays():
    notices = Notices()
    held = Held(notices)
    answer = says("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.")
    models = senses(stt=FakeStt("mhm", delay=0.1), llm=FakeLlm(answer), tts=FakeTts(word_ms=500))
    async with session(models, forgiving=True) as hand:
        with notices.listen() as coming:
            await hand.say("response.create")
            await hand.until("rate_limits.updated")
            await hand.live(bytes(48 * 2000) + tone(300) + bytes(48 * 600))
            for on in (True, False):
                await hand.until(HOLD)
                held.told(hand.seen[-1])
                notice = await anext(coming)
                assert notice.event() == {"type": "vivavoce.hold", "on": on}
        assert "input_audio_buffer.speech_started" not in hand.types
