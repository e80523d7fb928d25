"""Who answers breaks off or has no more time, and somebody else goes on; the client goes on in the same session."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.support import senses
from tests.support.fake_models import FakeLlm, says
from tests.support.lines import MemoryLine
from tests.support.virtual_time import virtual_time
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.history import History
from vivavoce.backends.interface import BackendError, SessionRequest
from vivavoce.protocol.frame import AUDIO_DELTA, GAP, PLAYED, Closed, Frame
from vivavoce.sessions.understudy import LASTS, ROLL_BEFORE, House, Understudy

SECOND = 48_000
"""Bytes of sound."""


class Theatre:
    """The backend: each line that it opens is played by the test."""

    def __init__(self, history: History | None = None, *, media: bool = False, rolls: bool = False) -> None:
        self.request = SessionRequest("sess_1", "gpt-x", "realtime", media=media, history=history)
        self.opened: list[tuple[SessionRequest, MemoryLine]] = []
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.failing: Exception | None = None
        self.first = MemoryLine()
        self.numbers = iter(range(1, 10_000))
        self.house = House(
            open=self.open,
            fitting=lambda items: items[-3:],
            tell=lambda kind, **data: self.told.append((kind, data)),
            new_event=lambda: f"event_ours{next(self.numbers)}",
            now=lambda: 1_000.0 + asyncio.get_running_loop().time(),
            rolls=lambda: rolls,
        )

    async def open(self, request: SessionRequest) -> MemoryLine:
        if self.failing:
            raise self.failing
        line = MemoryLine()
        line.arrive(created("sess_new"))
        self.opened.append((request, line))
        return line

    async def begin(self) -> Understudy:
        self.first.arrive(created("sess_1"))
        answering = Understudy(self.first, self.request, self.house)
        assert (await answering.receive()).type == "session.created"
        return answering


def event(type: str, **data: Any) -> Frame:
    return Frame(type, {"type": type, "event_id": f"event_{type}", **data})


def created(id: str, voice: str = "marin") -> Frame:
    detection = {"type": "server_vad", "create_response": True}
    audio = {"input": {"turn_detection": detection}, "output": {"voice": voice}}
    session = {"id": id, "object": "realtime.session", "type": "realtime", "instructions": "Be kind.", "audio": audio}
    return event("session.created", session={**session, "expires_at": 1, "model": "gpt-x"})


def user(id: str, words: str | None) -> Frame:
    content = [{"type": "input_audio", "transcript": words}]
    item = {"id": id, "type": "message", "role": "user", "status": "completed", "content": content}
    return event("conversation.item.added", previous_item_id=None, item=item)


def answer_begins(conversation: str = "conv_theirs") -> list[Frame]:
    response = {"id": "resp_1", "status": "in_progress", "conversation_id": conversation, "output": []}
    item = {"id": "item_a", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    where = {"response_id": "resp_1", "item_id": "item_a", "output_index": 0, "content_index": 0}
    words = "response.output_audio_transcript.delta"
    return [
        event("response.created", response=response),
        event("response.output_item.added", response_id="resp_1", output_index=0, item=item),
        event("conversation.item.added", previous_item_id="item_u", item=item),
        event(words, **where, delta="One two three four."),
        Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, **where}, bytes(2 * SECOND)),
    ]


async def hear(answering: Understudy, frames: Sequence[Frame]) -> None:
    for frame in frames:
        assert (await answering.receive()).type == frame.type


async def types_until(answering: Understudy, type: str) -> list[Frame]:
    seen: list[Frame] = []
    while not seen or seen[-1].type != type:
        seen.append(await asyncio.wait_for(answering.receive(), 5))
    return seen


@virtual_time
async def test_an_upstream_that_drops_in_mid_answer_is_replaced_and_the_answer_is_asked_for_again():
    theatre = Theatre()
    answering = await theatre.begin()
    before = [user("item_u", "Count."), *answer_begins()]
    theatre.first.arrive(*before)
    await hear(answering, before)
    theatre.first.hang_up(1006)
    seen = await types_until(answering, GAP)
    assert [frame.type for frame in seen] == [
        "response.output_audio.done",
        "response.output_item.done",
        "response.done",
        GAP,
    ]
    item, response = seen[1].data["item"], seen[2].data["response"]
    assert (item["status"], item["content"][0]["transcript"]) == ("incomplete", "One two three four.")
    assert (response["status"], response["output"]) == ("failed", [item])
    ((request, line),) = theatre.opened
    assert request.history is not None
    assert request.history.conversation_id == "conv_theirs"
    assert [each["id"] for each in request.history.items] == ["item_u", "item_a"]
    assert request.config == {
        "type": "realtime",
        "instructions": "Be kind.",
        "audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": True}},
                  "output": {"voice": "marin"}},
    }  # fmt: skip
    assert (await line.next_sent()).type == "response.create"
    assert theatre.told == [("restored", {"items": 2, "missing": []})]
    line.arrive(event("response.created", response={"id": "resp_2", "conversation_id": "conv_other"}))
    assert (await answering.receive()).data["response"]["conversation_id"] == "conv_theirs"
    updated = event("session.updated", session={"id": "sess_new"})
    line.arrive(updated)
    assert (await answering.receive()).data["session"]["id"] == "sess_1"
    await answering.close()
    assert line.closed


@virtual_time
async def test_what_a_client_asked_and_was_not_granted_is_asked_again():
    theatre = Theatre()
    answering = await theatre.begin()
    update = event("session.update", session={"tools": [{"type": "mcp", "authorization": "secret"}]})
    item = event("conversation.item.create", item={"type": "message", "role": "user", "content": []})
    refused = event("response.create", response={"metadata": {}})
    for frame in (update, item, refused):
        await answering.send(frame)
    theatre.first.arrive(
        event("session.updated", session={**created("sess_1").data["session"], "tools": [{"type": "mcp"}]}),
        event("error", error={"event_id": refused.data["event_id"]}),
    )
    await hear(answering, [event("session.updated"), event("error")])
    theatre.first.hang_up(1012)
    await types_until(answering, GAP)
    ((request, line),) = theatre.opened
    assert request.config is not None
    assert request.config["tools"] == [{"type": "mcp", "authorization": "secret"}]
    assert [line.sent.get_nowait() for _ in range(line.sent.qsize())] == [item]
    await answering.close()


@virtual_time
async def test_what_a_client_says_meanwhile_is_said_to_the_next():
    theatre = Theatre()
    answering = await theatre.begin()
    await theatre.first.close(1006)
    saying = asyncio.create_task(answering.send(event("input_audio_buffer.append")))
    await asyncio.sleep(0)
    assert not saying.done()
    theatre.first.hang_up(1006)
    await types_until(answering, GAP)
    await saying
    ((_, line),) = theatre.opened
    assert (await line.next_sent()).type == "input_audio_buffer.append"
    await answering.close()


@virtual_time
async def test_words_that_nobody_knows_are_said_to_be_lost_and_not_answered():
    theatre = Theatre()
    answering = await theatre.begin()
    before = [event("input_audio_buffer.committed"), user("item_u", None)]
    theatre.first.arrive(*before)
    await hear(answering, before)
    theatre.first.hang_up(1006)
    await types_until(answering, GAP)
    assert theatre.told == [("restored", {"items": 1, "missing": ["input_audio"]})]
    assert theatre.opened[0][1].sent.empty()
    await answering.close()


@virtual_time
async def test_what_is_too_long_is_cut_at_the_front_and_that_is_said():
    theatre = Theatre()
    answering = await theatre.begin()
    said = [user(f"item_{number}", "Yes.") for number in range(5)]
    said = [Frame(frame.type, {**frame.data, "previous_item_id": f"item_{n - 1}"}) for n, frame in enumerate(said)]
    theatre.first.arrive(*said)
    await hear(answering, said)
    theatre.first.hang_up(1006)
    await types_until(answering, GAP)
    history = theatre.opened[0][0].history
    assert history is not None
    assert [item["id"] for item in history.items] == ["item_2", "item_3", "item_4"]
    assert theatre.told == [("restored", {"items": 3, "missing": ["older_items"]})]
    await answering.close()


@virtual_time
async def test_a_track_is_silenced_and_what_was_heard_of_the_answer_is_kept():
    theatre = Theatre(media=True)
    answering = await theatre.begin()
    before = [user("item_u", "Count."), *answer_begins()]
    theatre.first.arrive(*before)
    await hear(answering, before)
    await answering.send(Frame(PLAYED, {"type": PLAYED, "item_id": "item_a", "audio_ms": 1000, "drained": False}))
    theatre.first.hang_up(1006)
    seen = await types_until(answering, GAP)
    assert [frame.type for frame in seen][:3] == [
        "media.flush",
        "output_audio_buffer.cleared",
        "conversation.item.truncated",
    ]
    assert seen[2].data["audio_end_ms"] == 1000
    history = theatre.opened[0][0].history
    assert history is not None
    heard = history.items[-1]["content"][0]["transcript"]
    assert heard.startswith("One two")
    assert "four" not in heard
    await answering.close()


@pytest.mark.parametrize("code", [1000, 1008, 4000])
@virtual_time
async def test_an_end_that_is_meant_is_the_end(code):
    theatre = Theatre()
    answering = await theatre.begin()
    theatre.first.hang_up(code, "meant")
    with pytest.raises(Closed) as ended:
        await answering.receive()
    assert (ended.value.code, theatre.opened) == (code, [])
    await answering.close()


@virtual_time
async def test_who_breaks_off_again_at_once_is_not_replaced_for_ever():
    theatre = Theatre()
    answering = await theatre.begin()
    theatre.first.hang_up(1006)
    await types_until(answering, GAP)
    theatre.opened[0][1].hang_up(1006)
    with pytest.raises(Closed):
        await answering.receive()
    assert len(theatre.opened) == 1
    await answering.close()


@virtual_time
async def test_nobody_else_can_go_on():
    theatre = Theatre()
    answering = await theatre.begin()
    theatre.failing = BackendError.of(503, "Nothing answers.")
    theatre.first.hang_up(1006)
    with pytest.raises(Closed) as ended:
        await answering.receive()
    assert ended.value.code == 1011
    await theatre.first.close()
    with pytest.raises(Closed):
        await answering.send(event("response.create"))
    await answering.close()


@virtual_time
async def test_a_session_that_goes_on_is_told_in_shapes_that_exist():
    items = [user(f"item_{number}", "Yes.").data["item"] for number in (1, 2)]
    theatre = Theatre(History("conv_1", items))
    answering = await theatre.begin()
    seen = [await answering.receive() for _ in range(5)]
    assert [frame.type for frame in seen] == [
        "conversation.created",
        *("conversation.item.added", "conversation.item.done") * 2,
    ]
    assert seen[0].data["conversation"] == {"id": "conv_1", "object": "realtime.conversation"}
    assert [frame.data["previous_item_id"] for frame in seen[1:]] == [None, None, "item_1", "item_1"]
    assert len({frame.data["event_id"] for frame in seen}) == 5
    assert (await theatre.first.next_sent()).type == "response.create"  # the last turn was never answered
    await answering.close()


@pytest.mark.parametrize("last", [user("item_2", None).data["item"], {"id": "item_2", "role": "assistant"}])
@virtual_time
async def test_a_conversation_whose_last_turn_was_answered_or_not_understood_waits_for_its_user(last):
    items = [user("item_1", "Yes.").data["item"], last]
    theatre = Theatre(History("conv_1", items))
    answering = await theatre.begin()
    for _ in range(5):
        await answering.receive()
    assert theatre.first.sent.empty()
    await answering.close()


@virtual_time
async def test_before_its_time_is_up_a_quiet_session_is_rolled_over():
    theatre = Theatre(rolls=True)
    answering = await theatre.begin()
    theatre.first.arrive(user("item_u", "Count."))
    await answering.receive()
    listening = asyncio.create_task(answering.receive())
    await asyncio.sleep(LASTS - ROLL_BEFORE - 1)
    assert not theatre.opened
    await asyncio.sleep(2)
    ((request, line),) = theatre.opened
    assert request.history is not None
    assert [item["id"] for item in request.history.items] == ["item_u"]
    assert theatre.first.closed
    theatre.first.hang_up(1000)  # as a line does that is closed
    line.arrive(event("rate_limits.updated"))
    assert (await listening).type == "rate_limits.updated"
    assert theatre.told == []
    await answering.close()


@virtual_time
async def test_it_is_not_rolled_over_while_somebody_speaks():
    theatre = Theatre(rolls=True)
    answering = await theatre.begin()
    before = [user("item_u", "Count."), *answer_begins()]
    theatre.first.arrive(*before)
    await hear(answering, before)
    await asyncio.sleep(LASTS - 10)
    assert not theatre.opened
    theatre.first.arrive(event("response.done", response={"id": "resp_1", "status": "completed"}))
    await answering.receive()
    await asyncio.sleep(6)
    assert len(theatre.opened) == 1
    await answering.close()


@pytest.mark.parametrize("rolls", [True, False])
@virtual_time
async def test_at_the_end_of_its_time_who_asked_for_it_goes_on_and_others_are_told(rolls):
    theatre = Theatre(rolls=rolls)
    answering = await theatre.begin()
    theatre.first.arrive(event("error", error={"code": "session_expired"}))
    theatre.first.hang_up(1001)
    if rolls:
        await types_until(answering, GAP)
        assert len(theatre.opened) == 1
    else:
        assert (await answering.receive()).data["error"]["code"] == "session_expired"
        with pytest.raises(Closed):
            await answering.receive()
    await answering.close()


@virtual_time
async def test_our_own_engine_is_rolled_over_and_the_next_answer_knows_what_was_said():
    mind = FakeLlm(says("It rains."), says("Still."))
    backend = Builtin(senses(llm=mind), lambda: 1_700_000_000.0)
    request, told = SessionRequest("sess_1", "gpt-x", "realtime"), list[str]()
    house = replace(Theatre(rolls=True).house, open=backend.open, fitting=lambda items: items)
    answering = Understudy(await backend.open(request), request, house)

    async def listen() -> None:
        while True:
            told.append((await answering.receive()).type)

    async def ask(words: str) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
        await answering.send(event("conversation.item.create", item=item))
        await answering.send(event("response.create"))
        await asyncio.sleep(30)

    listening = asyncio.create_task(listen())
    await ask("What is the weather?")
    await asyncio.sleep(LASTS)
    await ask("And now?")
    assert [(message.role, message.text) for message in mind.asked[1].prompt.messages] == [
        ("user", "What is the weather?"),
        ("assistant", "It rains."),
        ("user", "And now?"),
    ]
    assert told.count("session.created") == 1
    assert told.count("response.done") == 2
    assert "error" not in told
    listening.cancel()
    await asyncio.wait([listening])
    await answering.close()
