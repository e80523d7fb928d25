"""What a line of the log looks like, and what is never in one."""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect

from tests.support.agents import agent
from tests.support.backends import ScriptedBackend
from tests.support.serving import serving
from vivavoce.access.agents import Agents
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.protocol.frame import Frame
from vivavoce.server import logs
from vivavoce.server.options import ServerOptions


def line(message: str, *values: object, secrets: tuple[str, ...] = (), exc_info: object = None) -> str:
    record = logging.LogRecord("vivavoce.x", logging.INFO, "x.py", 1, message, values, exc_info)  # type: ignore[arg-type]
    return logs.LineFormatter(secrets).format(record)


def test_a_line_is_plain_and_has_its_time():
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO - vivavoce\.x: session began kind=realtime",
        line("session began kind=%s", "realtime"),
    )


async def test_a_line_has_its_session_and_so_have_the_tasks_it_started():
    async def session(name: str) -> str:
        logs.session.set(name)
        return await asyncio.create_task(inner())

    async def inner() -> str:
        return line("hello")

    one, two = await asyncio.gather(session("sess_1"), session("sess_2"))
    assert " sess_1 " in one
    assert " sess_2 " in two
    assert " - " in line("hello")


def test_keys_are_in_no_line_whether_said_passed_or_in_a_traceback():
    assert "a1b2c3" not in line("key sk-a1b2c3d4")
    assert "a1b2c3" not in line("headers %r", {"Authorization": "Bearer a1b2c3d4"})
    assert "a1b2c3" not in line("odd a1b2c3d4", secrets=("a1b2c3d4",))
    try:
        raise ValueError("ek_a1b2c3d4e5f6")
    except ValueError:
        text = line("failed", exc_info=sys.exc_info())
    assert "Traceback" in text
    assert "a1b2c3" not in text


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logs.LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def kept() -> Iterator[Kept]:
    ours, handler = logging.getLogger("vivavoce"), Kept()
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield handler
    ours.removeHandler(handler)
    ours.setLevel(level)


async def test_every_line_of_a_session_has_its_name_those_of_hub_and_upstream_too(kept):
    other = agent("billing", session={"instructions": "You do billing."})
    front = agent("front", handoffs=("billing",))
    options = ServerOptions(agents=Agents({"front": front, "billing": other}))
    backend = ScriptedBackend()
    call = {"id": "item_1", "type": "function_call", "call_id": "call_1", "name": "transfer_to_billing"}
    done = {"id": "resp_1", "status": "completed", "output": [call]}
    async with serving(backend, options) as server, connect(server.ws + "?agent=front") as socket:
        (await backend.next_opened()).arrive(Frame("response.done", {"type": "response.done", "response": done}))
        while json.loads(await socket.recv())["type"] != "response.done":
            pass
    async with serving(UpstreamBackend("http://127.0.0.1:9/v1", "sk-upstream")) as server:
        async with connect(server.ws + "?model=gpt-realtime") as socket:
            assert json.loads(await socket.recv())["type"] == "error"
    lines = [line for line in kept.lines if "leaving" not in line and " left" not in line]
    assert [line for line in lines if "sessions.handoff" in line]
    assert [line for line in lines if "backends.upstream" in line]
    assert [line for line in lines if " sess_" not in line] == []
