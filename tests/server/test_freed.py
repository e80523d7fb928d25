"""What sessions leave: nothing. When one is over all of it is gone, with its sound, and does not wait for Python's
collector, which is off here; and none has a thread (for calls see ``transports/webrtc/test_call.py``)."""

import asyncio
import base64
import gc
import json
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from websockets.asyncio.client import connect

from tests.conformance.live import until
from tests.engine.support import senses
from tests.support.fake_models import FakeLlm, FakeStt, says, tone
from tests.support.serving import Served, serving
from vivavoce.backends.builtin import Builtin
from vivavoce.server.options import ServerOptions

OURS = re.compile(r"vivavoce\.(?!models\.|sessions\.capacity\.)")
"""What models have been asked, the fakes remember; beats go on."""
VISITS, CROWD = 3, 12
STEPS = 20
"""Turns of the loop that tasks get, to end."""


@pytest.fixture
def collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    models = senses(stt=FakeStt(*["What is it?"] * CROWD), llm=FakeLlm(*[says("It is this.")] * CROWD))
    async with serving(Builtin(models, lambda: 0.0), ServerOptions(park_seconds=0.05)) as served:
        yield served


@pytest.mark.parametrize("how", ["closed", "cut off"])
async def test_nothing_of_a_session_waits_for_the_collector(collector: None, served: Served, how: str):
    await visit(served, how)  # makes what is made once, and stays
    before = alive()
    for _ in range(VISITS - 1):
        await visit(served, how)
    for _ in range(STEPS):
        if not (left := alive() - before):
            return
        await asyncio.sleep(0)
    raise AssertionError(f"left: {dict(left)}")


async def test_no_session_has_a_thread(served: Served):
    await visit(served, "closed")
    before = set(threading.enumerate())
    seen = set().union(*await asyncio.gather(*(visit(served, "closed") for _ in range(CROWD - 1))))
    assert {thread.name.partition("_")[0] for thread in seen - before} <= {"asyncio"}  # the loop's pool has its bounds


async def visit(served: Served, how: str) -> set[threading.Thread]:
    """A question and its answer, to the end of the session; the threads that there were at the answer."""
    socket = await connect(served.ws)
    live = served.service.registry.find((await until(socket, "session.created"))["session"]["id"])
    assert live is not None
    gone = live.gone
    del live
    sound = tone(400) + bytes(48 * 600)
    for at in range(0, len(sound), 4800):
        audio = base64.b64encode(sound[at : at + 4800]).decode()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
    await until(socket, "response.done")
    threads = set(threading.enumerate())
    if how == "closed":
        await socket.close()
    else:
        socket.transport.abort()
    await asyncio.wait_for(gone.wait(), 20)
    return threads


def alive() -> Counter[str]:
    """Objects of ours, by their class."""
    kinds = Counter(type(each) for each in gc.get_objects())
    named = {f"{kind.__module__}.{kind.__qualname__}": count for kind, count in kinds.items()}
    return Counter({name: count for name, count in named.items() if OURS.match(name)})
