"""Serves the application until it is told to leave, and then leaves in order: no new sessions, answers
complete, clients told.

Uvicorn does the HTTP. Its numbers are here.
"""

import asyncio
import errno
import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from vivavoce.server.door import Door
from vivavoce.server.headers import Protocol

if TYPE_CHECKING:
    from vivavoce.server.service import Service

__all__ = ["CannotListen", "Server", "Serving", "listen", "serve"]

log = logging.getLogger(__name__)

MAX_MESSAGE = 32 * 1024 * 1024
"""Bytes in one WebSocket message: 15 MiB of audio in base64, and images (H-11)."""
BACKLOG = 256
PING_SECONDS = 20.0
"""A silent peer is asked this often, and is gone when it does not answer within the same time."""
GC_THRESHOLDS = 20_000, 2, 2
"""Objects made and not freed between two looks for cycles; how many such looks until older ones are looked at too.
Python's 700 cost a busy relay 4 % of its time. Of a session nothing waits for it (``tests/server/test_freed.py``); a
connection leaves some 100 objects of uvicorn's."""
GRACE_SECONDS = 5
"""How long requests and sockets may take to close once sessions have ended."""


class CannotListen(Exception):
    """The address cannot be had. The message is for the user: why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    drain_seconds: float = 10.0
    """How long answers that are being given may go on when the server is told to leave."""
    certificate: Path | None = None
    private_key: Path | None = None
    """PEM files; with both, the server speaks https."""
    trusted_proxies: Sequence[str] = ()
    """Addresses and networks that are believed in X-Forwarded-For and X-Forwarded-Proto."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 picks a free one. Raises :class:`CannotListen`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(_why(host, port, error)) from None


def serve(app: Starlette | Door, listening: socket.socket, how: Serving) -> None:
    """Blocks until SIGTERM or SIGINT; a second one does not wait for answers. Raises what the building of an
    application behind a door raised."""
    gc.set_threshold(*GC_THRESHOLDS)
    Server(app, how).run([listening])
    if isinstance(app, Door) and app.failure is not None:
        raise app.failure


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken, perhaps by another Vivavoce. Stop that one, or choose another "
            f"port: vivavoce serve --port {port + 1 if port < 65535 else 0}"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} is not open to this user; choose one from 1024 up: vivavoce serve --port 7171"
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}."


def _config(app: Starlette | Door, how: Serving) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(how.trusted_proxies),
        forwarded_allow_ips=list(how.trusted_proxies),
        http=Protocol,
        ws="vivavoce.server.gathered:WebSocketProtocol",
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,  # 49 µs an audio delta, and speech hardly gets smaller
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=how.certificate,
        ssl_keyfile=how.private_key,
    )


class Server(uvicorn.Server):
    """Ends the sessions before uvicorn ends the connections that carry them."""

    def __init__(self, app: Starlette | Door, how: Serving) -> None:
        super().__init__(_config(app, how))
        self._app = app
        if isinstance(app, Door):
            app.give_up = lambda: self.handle_exit(signal.SIGTERM, None)
        self._drain_seconds = how.drain_seconds
        self._hurry = asyncio.Event()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        service = self._app.service if isinstance(self._app, Door) else self._app.state.service
        if service is not None:
            await self._drain(service)
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn would leave the models and their processes to themselves
            await self.lifespan.shutdown()
        log.info("left")

    async def _drain(self, service: "Service") -> None:
        log.info("leaving live=%d", len(service.registry))
        async with asyncio.TaskGroup() as group:
            drain = group.create_task(service.registry.drain(self._drain_seconds))
            hurry = group.create_task(self._hurry.wait())
            await asyncio.wait([drain, hurry], return_when=asyncio.FIRST_COMPLETED)
            drain.cancel()
            hurry.cancel()
        if self._hurry.is_set():
            await service.registry.drain(0)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Through the event loop, and without uvicorn's raising of the signal a second time: to leave
        is what was asked for, and no reason to die of it."""
        if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
            with super().capture_signals():
                yield
            return
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self.handle_exit, sig, None)
        try:
            yield
        finally:
            for sig in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(sig)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal asks to leave in order, the second not to wait for answers, the third for nothing."""
        if self._hurry.is_set():
            self.force_exit = True
        if self.should_exit:
            self._hurry.set()
        self.should_exit = True
