"""A client whose sound goes past us brings its recording, in parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.server.test_recording import keeping
from tests.sessions.recording.test_repair import from_a_browser, length
from tests.support.lines import MemoryLine
from tests.support.serving import Served
from vivavoce.sessions.recording.recorded import Recorded
from vivavoce.sessions.recording.upload import MAX_PART, Upload


class Call:
    """A direct call of which the client makes the recording."""

    def __init__(self, served: Served, file: Path) -> None:
        self.served, self.file = served, file
        self.told: list[Recorded] = []

    async def make(self) -> Path:
        self.file.touch()
        return self.file

    async def tell(self, recorded: Recorded) -> bool:
        self.told.append(recorded)
        return True

    async def bring(self, part: object, data: bytes, query: str = "") -> httpx.Response:
        url = f"{self.served.http}/api/sessions/rtc_1/recording?part={part}{query}"
        async with httpx.AsyncClient() as client:
            return await client.post(url, content=data, headers={"Content-Type": "audio/webm"})


@asynccontextmanager
async def call(directory: Path) -> AsyncIterator[Call]:
    """Live while the context lasts; then over."""
    async with keeping(directory) as served:
        it = Call(served, directory / "sent")
        with served.service.registry.admit("rtc_1", "webrtc", owner="local") as live:
            live.upload = Upload(it.make, it.tell, patience=0.05)
            caller = MemoryLine()
            running = asyncio.create_task(
                live.run(caller, MemoryLine(), new_id=lambda: "event_1", observers=[live.upload])
            )
            yield it
            caller.hang_up()
            await asyncio.wait_for(running, 10)


async def test_parts_become_one_recording(tmp_path: Path) -> None:
    sent = from_a_browser(tmp_path / "a.webm", 5).read_bytes()
    parts = [sent[at : at + 3000] for at in range(0, len(sent), 3000)]
    async with call(tmp_path) as it:
        for index, part in enumerate(parts):
            last = "&last=true" if index == len(parts) - 1 else ""
            assert (await it.bring(index, part, last)).status_code == 204
            assert (await it.bring(index, part)).status_code == 204  # sent twice, kept once

    (told,) = it.told
    assert (told.state, told.bytes) == ("complete", len(sent))
    assert length(it.file) == pytest.approx(5.0, abs=0.1)


async def test_without_the_last_part_it_is_broken_and_can_be_played(tmp_path: Path) -> None:
    sent = from_a_browser(tmp_path / "a.webm", 5).read_bytes()
    async with call(tmp_path) as it:
        await it.bring(0, sent[: len(sent) // 2])

    (told,) = it.told
    assert told.state == "broken"
    assert 1000 < told.ms < 4000


@pytest.mark.parametrize(
    ("part", "data", "says"),
    [
        ("1", b"x", "Part 0 is expected"),
        ("-1", b"x", "a number"),
        ("x", b"x", "a number"),
        ("0", bytes(MAX_PART + 1), "at most"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(tmp_path: Path, part: str, data: bytes, says: str) -> None:
    async with call(tmp_path) as it:
        answer = await it.bring(part, data)

    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


async def test_a_session_that_is_not_recorded_so_takes_none(tmp_path: Path) -> None:
    async with call(tmp_path) as it:
        live = it.served.service.registry.find("rtc_1")
        assert live is not None
        live.upload, kept = None, live.upload
        assert (await it.bring(0, b"x")).status_code == 404
        live.upload = kept


async def test_what_is_no_sound_leaves_no_recording(tmp_path: Path) -> None:
    async with call(tmp_path) as it:
        assert (await it.bring(0, b"no sound at all", "&last=true")).status_code == 204

    assert [told.state for told in it.told] == ["broken"]
