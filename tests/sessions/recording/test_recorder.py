"""A session on virtual time, and the file that it leaves."""

import asyncio
import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from tests.support.virtual_time import virtual_time
from vivavoce.audio.g711 import ulaw_encode
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Closed, Frame
from vivavoce.sessions.recording.recorded import Recorded
from vivavoce.sessions.recording.recorder import BEHIND_SECONDS, Recorder

RATE = 24_000


def hum(seconds: float, rate: int = RATE) -> bytes:
    return (9000 * np.sin(2 * np.pi * 300 * np.arange(round(rate * seconds)) / rate)).astype("<i2").tobytes()


def heard(file: BinaryIO | Path) -> list[list[tuple[float, float]]]:
    """For each side, the seconds in which it sounds."""
    with av.open(str(file) if isinstance(file, Path) else file, "r") as container:
        both = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert both.shape[0] == 2
    found = []
    for side in both:
        loud = np.abs(side[: len(side) // 480 * 480]).reshape(-1, 480).mean(axis=1) > 0.02  # 10 ms at 48 kHz
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int))) / 100
        found.append([(edges[at], edges[at + 1]) for at in range(0, len(edges), 2)])
    return found


def near(found: list[tuple[float, float]], wanted: list[tuple[float, float]]) -> bool:
    return len(found) == len(wanted) and bool(np.allclose(found, wanted, atol=0.03))


class Recording:
    """A recorder at work, and what it told."""

    def __init__(self, open: Callable[[], BinaryIO], wanted: Callable[[], bool] = lambda: True) -> None:
        async def opened() -> BinaryIO:
            return open()

        self.told: list[Recorded] = []
        self.goes_on = True
        clock = asyncio.get_running_loop().time
        self.recorder = Recorder(clock, opened, self._tell, media=False, wanted=wanted)
        self.writing = asyncio.create_task(self.recorder.run())

    async def _tell(self, recorded: Recorded) -> bool:
        self.told.append(recorded)
        return self.goes_on

    async def say(self, pcm: bytes, size: int = 960) -> None:
        """As a microphone."""
        for at in range(0, len(pcm), size):
            await asyncio.sleep(0.02)
            self.recorder.sent(Frame(APPEND, {"type": APPEND}, pcm[at : at + size]))

    def answer(self, pcm: bytes, item: str = "item_1") -> None:
        self.recorder.told(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "item_id": item}, pcm))

    def tell(self, type: str, **fields: object) -> None:
        self.recorder.told(Frame(type, {"type": type, **fields}))

    async def end(self) -> Recorded:
        await self.recorder.finish(Closed())
        await self.writing
        return self.told[-1]


@virtual_time
async def test_both_sides_are_where_they_were(tmp_path: Path) -> None:
    file = tmp_path / "one.ogg"
    recording = Recording(lambda: file.open("wb"))
    await asyncio.sleep(1.0)
    await recording.say(hum(1.0))
    await asyncio.sleep(0.5)
    recording.answer(hum(2.0))
    await asyncio.sleep(3.0)
    last = await recording.end()

    user, assistant = heard(file)
    assert near(user, [(1.0, 2.0)])
    assert near(assistant, [(2.5, 4.5)])
    assert last == (5500, file.stat().st_size, "complete")


@virtual_time
async def test_an_answer_is_cut_where_somebody_spoke_over_it(tmp_path: Path) -> None:
    file = tmp_path / "one.ogg"
    recording = Recording(lambda: file.open("wb"))
    recording.answer(hum(4.0))
    await asyncio.sleep(1.5)
    recording.tell("input_audio_buffer.speech_started")
    await asyncio.sleep(3.0)
    await recording.end()

    assert near(heard(file)[1], [(0.0, 1.5)])


@virtual_time
async def test_it_goes_on_where_the_client_has_said_that_speech_interrupts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "one.ogg"
    recording = Recording(lambda: file.open("wb"))
    input = {"turn_detection": {"type": "server_vad", "interrupt_response": False}}
    recording.tell("session.updated", session={"audio": {"input": input}})
    recording.answer(hum(2.0))
    await asyncio.sleep(0.5)
    recording.tell("input_audio_buffer.speech_started")
    await asyncio.sleep(2.5)
    await recording.end()

    assert near(heard(file)[1], [(0.0, 2.0)])


@virtual_time
async def test_a_telephone_is_recorded_too(tmp_path: Path) -> None:
    file = tmp_path / "one.ogg"
    recording = Recording(lambda: file.open("wb"))
    recording.tell("session.created", session={"audio": {"input": {"format": {"type": "audio/pcmu"}}}})
    await recording.say(ulaw_encode(hum(1.0, 8000)), size=160)
    await asyncio.sleep(1.0)
    await recording.end()

    assert near(heard(file)[0], [(0.0, 1.0)])


@virtual_time
async def test_a_crash_leaves_all_but_the_last_seconds(tmp_path: Path) -> None:
    file = tmp_path / "one.ogg"
    recording = Recording(lambda: file.open("wb"))
    await recording.say(hum(10.0))
    left = io.BytesIO(file.read_bytes())
    await recording.end()

    ((begin, end),), _ = heard(left)
    assert begin < 0.03
    assert end > 6.5


class FullDisk(io.BytesIO):
    name = "full"

    def write(self, data: object, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@virtual_time
async def test_a_full_disk_ends_the_recording_and_nothing_else() -> None:
    recording = Recording(FullDisk)
    await recording.say(hum(5.0))
    last = await recording.end()

    assert last.state == "broken"


@virtual_time
async def test_no_file_no_recording() -> None:
    def refuse() -> BinaryIO:
        raise PermissionError(errno.EACCES, "Permission denied")

    recording = Recording(refuse)
    await recording.say(hum(1.0))

    assert await recording.end() == (0, 0, "broken")


@virtual_time
async def test_a_disk_that_stalls_does_not_fill_the_memory() -> None:
    """The writer is not run at all, which is a disk that never answers."""

    async def nothing(*_: object) -> Any:
        raise AssertionError

    recorder = Recorder(asyncio.get_running_loop().time, nothing, nothing, media=False)
    frame = Frame(APPEND, {"type": APPEND}, hum(0.02))
    for _ in range(round(2 * BEHIND_SECONDS / 0.02)):
        await asyncio.sleep(0.02)
        recorder.sent(frame)

    assert len(recorder._timeline._user._pieces) <= BEHIND_SECONDS / 0.02 + 1


@virtual_time
async def test_what_is_deleted_is_recorded_no_further(tmp_path: Path) -> None:
    recording = Recording(lambda: (tmp_path / "one.ogg").open("wb"))
    await recording.say(hum(3.0))
    recording.goes_on = False
    await recording.say(hum(3.0))

    assert recording.writing.done()
    assert recording.told[-1].state == "broken"


@virtual_time
async def test_nothing_is_heard_of_an_agent_that_keeps_nothing(tmp_path: Path) -> None:
    file, keeps = tmp_path / "one.ogg", True
    recording = Recording(lambda: file.open("wb"), lambda: keeps)
    await recording.say(hum(2.0))
    keeps = False
    await recording.say(hum(2.0))
    await recording.end()

    assert near(heard(file)[0], [(0.0, 2.0)])
