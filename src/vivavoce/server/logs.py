"""The log: one plain line an event, with the session it belongs to, and no secret in it.

    2026-11-20T23:15:04.031Z INFO sess_4f… vivavoce.server.v1.realtime: session began model=gpt-realtime

Secrets are taken out of the finished text, where messages, arguments and tracebacks have become one.
"""

import logging
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime

from vivavoce.access.scrub import scrub

__all__ = ["LineFormatter", "session", "set_up"]

session: ContextVar[str] = ContextVar("session", default="-")
"""The session that the current task works for; tasks that it starts inherit it."""


class LineFormatter(logging.Formatter):
    """``secrets`` are keys that are known here, of whatever shape."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(session)s %(name)s: %(message)s")
        self._secrets = tuple(secrets)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def format(self, record: logging.LogRecord) -> str:
        record.session = session.get()
        return scrub(super().format(record), *self._secrets)


def set_up(level: str, secrets: Sequence[str] = ()) -> None:
    """The log of the whole process goes to standard error, from ``level`` up. Libraries are heard from when
    something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("vivavoce").setLevel(level.upper())
    logging.getLogger("uvicorn.error").addFilter(_is_true)


def _is_true(record: logging.LogRecord) -> bool:
    """Uvicorn takes a WebSocket that was refused over HTTP for one that was forgotten, and calls it an error; and text
    that is no UTF-8 gets a traceback, though it is a client's mistake and the client is told."""
    return not any(words in str(record.msg) for words in ("without completing handshake", "Invalid UTF-8 sequence"))
