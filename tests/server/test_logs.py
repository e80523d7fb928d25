"""What a line of the log looks like, and what is never in one."""

import asyncio
import logging
import re
import sys

from vivavoce.server import logs


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
