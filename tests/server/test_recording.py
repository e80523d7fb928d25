"""What is left of a session whose agent keeps sound, on a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pybase64
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.sessions.recording.test_recorder import heard, hum, near
from tests.support.backends import ScriptedBackend
from tests.support.serving import Served, serving_app
from vivavoce.access.agents import Agent, Agents
from vivavoce.server.app import build
from vivavoce.server.keeping import Keeping
from vivavoce.server.options import ServerOptions
from vivavoce.store.store import in_memory

QUIET = Agents({"quiet": Agent(name="quiet", store="off"), "loud": Agent(name="loud", store="audio")})


@asynccontextmanager
async def keeping(files: Path, **options: Any) -> AsyncIterator[Served]:
    app = build(
        ServerOptions(agents=QUIET, park_seconds=45, **options),
        ScriptedBackend(),
        keeping=Keeping(store=in_memory(files)),
    )
    async with serving_app(app) as served:
        yield served


def files_under(directory: Path) -> list[Path]:
    return list(directory.rglob("*.ogg"))


Event = dict[str, Any]


def all_told(event: Event) -> bool:
    """The last that is said at the beginning."""
    return bool(event["type"] == "vivavoce.resume")


async def conversation(
    served: Served, query: str = "", until: Callable[[Event], bool] = all_told
) -> tuple[str, list[Event]]:
    """A second of sound, after this was told; the session's id, and what was said of the recording."""
    url = f"{served.ws}?model=gpt-realtime{query}"
    async with connect(url, subprotocols=[Subprotocol("vivavoce.v1"), Subprotocol("realtime")]) as socket:
        told: list[Event] = []
        while not told or not until(told[-1]):
            told.append(json.loads(await asyncio.wait_for(socket.recv(), 5)))
        sound = hum(1.0)
        for at in range(0, len(sound), 960):
            audio = pybase64.b64encode_as_string(sound[at : at + 960])
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
    live = served.service.registry.find(told[0]["session"]["id"])
    if live is not None:
        await asyncio.wait_for(live.gone.wait(), 5)
    return told[0]["session"]["id"], [event for event in told if event["type"] == "vivavoce.recording"]


@pytest.mark.parametrize(("options", "query"), [({"store": "audio"}, ""), ({}, "&agent=loud")])
async def test_a_session_is_recorded_and_its_client_is_told(
    tmp_path: Path, options: dict[str, Any], query: str
) -> None:
    async with keeping(tmp_path, **options) as served:
        id, notices = await conversation(served, query)
        (recording,) = await served.service.store.recordings.all(id)
        file = served.service.store.files.path(id, recording.name)

    assert notices == [{"type": "vivavoce.recording", "on": True, "by": "server"}]
    assert (recording.state, recording.channels, recording.bytes) == ("complete", 2, file.stat().st_size)
    assert near(heard(file)[0], [(0.0, 1.0)])
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("options", "query"), [({}, ""), ({"store": "audio"}, "&agent=quiet")])
async def test_what_is_not_to_be_kept_leaves_no_sound(tmp_path: Path, options: dict[str, Any], query: str) -> None:
    async with keeping(tmp_path, **options) as served:
        _, notices = await conversation(served, query)

    assert (notices, files_under(tmp_path)) == ([], [])


async def test_where_no_file_can_be_made_the_session_goes_on_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file where a directory should be")
    async with keeping(tmp_path / "recordings", store="audio") as served:
        _, notices = await conversation(served, until=lambda event: event.get("on") is False)

    assert notices[-1] == {"type": "vivavoce.recording", "on": False, "by": "server"}
