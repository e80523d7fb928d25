"""Who is decoded when, and with whom."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from vivavoce.models.interfaces import ModelError
from vivavoce.models.stt.whisper import queue
from vivavoce.models.stt.whisper.batch import Heard, Unwanted, Window
from vivavoce.models.stt.whisper.decoder import Decoder
from vivavoce.models.stt.whisper.queue import MOST_TOGETHER, MOST_WAITING, WhisperQueue


class Held(Decoder):
    """Hears the sound itself, a batch each time that it may."""

    def __init__(self) -> None:
        super().__init__(Path())
        self.may = threading.Semaphore(0)
        self.batches: list[list[str]] = []

    def decode(self, windows: Sequence[Window], wanted: Callable[[], bool]) -> list[Heard | ModelError]:
        self.batches.append([window.pcm.decode() for window in windows])
        self.may.acquire(timeout=10)
        if not wanted():
            raise Unwanted
        return [Heard((window.pcm.decode(),)) for window in windows]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def waiting(held: Held) -> AsyncIterator[WhisperQueue]:
    made = WhisperQueue(held)
    yield made
    made.close()
    held.may.release(100)


def window(name: object, prompt: str = "") -> Window:
    return Window(str(name).encode(), prompt=prompt)


async def test_they_go_in_the_order_in_which_they_came_and_together_where_many_wait(held: Held, waiting: WhisperQueue):
    asked = [waiting.ask(window(n)) for n in range(MOST_TOGETHER + 2)]
    other = waiting.ask(window("other", prompt="words"))
    last = waiting.ask(window("last"))
    held.may.release(9)
    heard = await asyncio.gather(*asked, other, last)
    assert [each.words[0] for each in heard] == [*map(str, range(MOST_TOGETHER + 2)), "other", "last"]
    together = [str(n) for n in range(1, MOST_TOGETHER + 1)]
    assert held.batches == [["0"], together, [str(MOST_TOGETHER + 1)], ["other"], ["last"]]


async def test_a_full_queue_refuses_and_who_goes_away_makes_room(held: Held, waiting: WhisperQueue):
    asked = [waiting.ask(window(n)) for n in range(1 + MOST_WAITING)]
    with pytest.raises(ModelError, match=f"busy: {MOST_WAITING} pieces of speech wait"):
        waiting.ask(window("more"))
    asked[-1].cancel()
    await asyncio.wait(asked[-1:])
    asked[-1] = waiting.ask(window("more"))
    held.may.release(99)
    await asyncio.gather(*asked)
    assert not any(str(MOST_WAITING) in batch for batch in held.batches), "who has gone is never begun"


async def test_a_batch_for_which_nobody_waits_is_stopped(held: Held, waiting: WhisperQueue):
    gone = waiting.ask(window("gone"))
    gone.cancel()
    held.may.release(9)
    assert await waiting.heard(window("next")) == Heard(("next",))


async def test_who_waits_goes_before_a_look_ahead_and_those_rest(
    held: Held, waiting: WhisperQueue, monkeypatch: pytest.MonkeyPatch
):
    held.may.release(9)
    await waiting.ask(window("look"), urgent=False)
    monkeypatch.setattr(queue, "REST", 1e9)
    await waiting.ask(window("another"), urgent=False)
    waiting.ask(window("a third"), urgent=False)
    await waiting.heard(window("waits"))
    assert held.batches == [["look"], ["another"], ["waits"]]


async def test_it_takes_so_long_and_no_longer(held: Held, waiting: WhisperQueue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queue, "PATIENCE", 0.01)
    with pytest.raises(ModelError, match="takes too long on this machine"):
        await waiting.heard(window("slow"))


async def test_whoever_waits_at_the_end_is_told(held: Held, waiting: WhisperQueue):
    asked = [waiting.ask(window(n)) for n in range(3)]
    waiting.close()
    for told in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(told, ModelError)
