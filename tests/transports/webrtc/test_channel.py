import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiortc import RTCDataChannel

from tests.support.virtual_time import virtual_time
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.transports.webrtc.channel import MAX_MESSAGE, MAX_UNSENT, Events


class Channel:
    """A data channel whose far end can be slow."""

    readyState = "open"
    bufferedAmount = 0
    bufferedAmountLowThreshold = 0

    def __init__(self) -> None:
        self.handlers: dict[str, list[Callable[[], None]]] = {}
        self.sent: list[dict[str, Any]] = []

    def on(self, event: str, handler: Callable[[], None]) -> None:
        self.handlers.setdefault(event, []).append(handler)

    def emit(self, event: str) -> None:
        for handler in self.handlers[event]:
            handler()

    def send(self, text: str) -> None:
        self.sent.append(json.loads(text))
        self.bufferedAmount += len(text)


def events(message_size: int = 65_536) -> Events:
    numbers = itertools.count(1)
    return Events(Ga(), message_size, lambda: f"event_{next(numbers)}")


def attach(to: Events) -> Channel:
    channel = Channel()
    to.attach(cast(RTCDataChannel, channel), lambda _: None, lambda: None)
    return channel


def event(kind: str, **data: Any) -> Frame:
    return Frame(kind, {"type": kind, **data})


@virtual_time
async def test_what_is_sent_before_the_channel_opens_waits_for_it():
    ours = events()
    sending = asyncio.create_task(ours.send(event("session.created")))
    await asyncio.sleep(3)
    assert not sending.done()
    channel = attach(ours)
    await sending
    assert channel.sent == [{"type": "session.created"}]


@virtual_time
async def test_nobody_waits_for_a_channel_that_will_not_come():
    ours = events()
    sending = asyncio.create_task(ours.send(event("session.created")))
    await asyncio.sleep(0)
    ours.stop()
    await sending


@virtual_time
async def test_a_slow_caller_is_waited_for_and_then_given_up():
    ours = events()
    channel = attach(ours)
    channel.bufferedAmount = MAX_UNSENT + 1
    sending = asyncio.create_task(ours.send(event("a")))
    await asyncio.sleep(9)
    assert channel.sent == []
    channel.bufferedAmount = 0
    channel.emit("bufferedamountlow")
    await sending
    assert channel.sent == [{"type": "a"}]
    channel.bufferedAmount = MAX_UNSENT + 1
    with pytest.raises(TimeoutError):
        await ours.send(event("b"))


@virtual_time
async def test_an_item_too_large_goes_without_its_sound():
    ours = events()
    channel = attach(ours)
    content = [{"type": "output_audio", "transcript": "hello", "audio": "A" * 100_000}]
    await ours.send(event("conversation.item.retrieved", item={"id": "item_1", "content": content}))
    assert channel.sent == [
        {
            "type": "conversation.item.retrieved",
            "item": {"id": "item_1", "content": [{"type": "output_audio", "transcript": "hello"}]},
        }
    ]


@virtual_time
async def test_what_stays_too_large_is_named_in_an_error():
    ours = events()
    channel = attach(ours)
    await ours.send(event("session.updated", session={"instructions": "ä" * 40_000}))  # characters of two bytes
    await ours.send(event("session.updated", session={"instructions": "x" * 40_000}))
    error, small = channel.sent
    assert (error["type"], error["event_id"]) == ("error", "event_1")
    assert (error["error"]["type"], error["error"]["code"]) == ("server_error", "event_too_large")
    assert "session.updated" in error["error"]["message"]
    assert small["type"] == "session.updated"


@virtual_time
async def test_zero_means_any_size():
    ours = events(message_size=0)
    channel = attach(ours)
    await ours.send(event("session.updated", session={"instructions": "x" * 900_000}))
    assert channel.sent[0]["type"] == "session.updated"


@pytest.mark.parametrize(
    ("message", "code"),
    [(b"\x00", "invalid_event"), ("{", "invalid_event"), ("x" * (MAX_MESSAGE + 1), "invalid_value")],
)
def test_what_is_no_event(message: str | bytes, code: str):
    with pytest.raises(ProtocolError) as refused:
        events().read(message)
    assert refused.value.code == code
