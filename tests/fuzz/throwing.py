"""Throws frames, and watches what becomes of them, of the server's memory, and of somebody else's session.

Whether a frame was answered is seen by the mark that follows it: an item is asked for that is not there, so an
``error`` with the mark's ``event_id`` comes, and whatever came before it is the answer to the frame.
"""

import asyncio
import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.fuzz.frames import Frame, frame

__all__ = ["Result", "memory", "throw"]

PATIENCE = 30.0
"""Seconds for the answer to one frame."""
FRAMES_A_SESSION = 300
GOODBYES = {1002, 1007, 1008, 1009}
"""Codes that say what the client did wrong (RFC 6455, 7.4.1)."""


@dataclass
class Result:
    frames: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    """Seconds that each turn of the session beside took."""

    def add(self, other: "Result") -> None:
        self.frames += other.frames
        self.answers += other.answers
        self.faults += other.faults
        self.turns += other.turns

    def fault(self, thrown: Frame, what: str) -> None:
        self.faults.append(f"{thrown.kind}: {what}: {thrown.data[:300]!r}")


def memory(process: int) -> float:
    """Resident megabytes."""
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=True)
    return int(told.stdout) / 1024


async def throw(address: str, frames: int, seed: int, hands: int = 4) -> Result:
    """``hands`` sessions at one time throw ``frames`` in all, while another one talks."""
    result, numbers = Result(), iter(range(frames))
    async with asyncio.TaskGroup() as group:
        beside = group.create_task(_talk(address, result))
        throwing = [group.create_task(_hand(address, numbers, random.Random(seed + n), result)) for n in range(hands)]
        await asyncio.wait(throwing)
        beside.cancel()
    return result


SPOKEN = [
    ("?model=gpt-realtime", {}),
    ("?intent=transcription", {}),
    ("?model=gpt-realtime", {"OpenAI-Beta": "realtime=v1"}),
]
"""Sessions that are thrown at: query and headers."""


def _connected(address: str, kind: int = 0) -> connect:
    query, headers = SPOKEN[kind % len(SPOKEN)]
    return connect(
        address + query,
        additional_headers=headers,
        max_size=None,
        compression=None,
        proxy=None,
        open_timeout=PATIENCE,
        ping_interval=None,
    )


# Who throws ----------------------------------------------------------------------------------------


async def _hand(address: str, numbers: Iterator[int], chance: random.Random, result: Result) -> None:
    left, sessions = True, count()
    while left:
        async with _connected(address, next(sessions)) as socket:
            for number in range(FRAMES_A_SESSION):
                left = next(numbers, None) is not None
                if not left or not await _thrown(socket, frame(chance), number, result):
                    break


async def _thrown(socket: ClientConnection, thrown: Frame, number: int, result: Result) -> bool:
    """Whether the connection can take another."""
    result.frames += 1
    try:
        async with asyncio.timeout(PATIENCE):
            await socket.send(thrown.data, text=thrown.raw_text or None)
            errors = await _answers(socket, f"mark_{number}")
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
        result.answers[f"closed with {code}"] += 1
        if thrown.answer != "close" or code not in GOODBYES:
            result.fault(thrown, f"closed with {code} {closed.rcvd and closed.rcvd.reason}")
        return False
    except TimeoutError:
        result.fault(thrown, f"no answer within {PATIENCE:g} s")
        return False
    result.answers["errors" if errors else "taken"] += 1
    if thrown.answer == "close" or (thrown.answer == "error" and len(errors) != 1) or "server_error" in errors:
        result.fault(thrown, f"answered with {errors or 'nothing'}")
    return True


async def _answers(socket: ClientConnection, mark: str) -> list[str]:
    """The types of the errors that come before the mark's own."""
    await socket.send(json.dumps({"type": "conversation.item.retrieve", "item_id": "nowhere", "event_id": mark}))
    errors: list[str] = []
    while True:
        event = json.loads(await socket.recv())
        if event["type"] == "error":
            if event["error"]["event_id"] == mark:
                return errors
            errors.append(event["error"]["type"])


# Who talks beside ----------------------------------------------------------------------------------


async def _talk(address: str, result: Result) -> None:
    """Typed questions, each answered aloud, one after the other; and a frame of silence every time."""
    silence = {"type": "input_audio_buffer.append", "audio": "AAAA" * 320}
    async with _connected(address) as socket:
        for number in count():
            began = perf_counter()
            await socket.send(json.dumps(silence))
            await socket.send(json.dumps({"type": "response.create", "response": {"metadata": {"n": str(number)}}}))
            async with asyncio.timeout(PATIENCE):
                while (event := json.loads(await socket.recv()))["type"] != "response.done":
                    assert event["type"] != "error", event
            assert event["response"]["status"] == "completed", event
            assert event["response"]["metadata"] == {"n": str(number)}
            result.turns.append(perf_counter() - began)
            await asyncio.sleep(0.02)
