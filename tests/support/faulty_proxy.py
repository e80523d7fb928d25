"""A TCP proxy with faults, between a server of ours and the upstream that it talks to.

    async with faulty(port_of_the_upstream) as proxy:
        proxy.answer(429, retry_after=30)      # every connection gets this, until the next call of a fault
        …
        proxy.heal()

Faults of new connections: :meth:`refuse`, :meth:`answer`, :meth:`stall`, :meth:`skew`. Faults of those that stand:
:meth:`cut`, :meth:`cut_after`, :meth:`slow`. It sleeps never and leaves nothing behind.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate, parsedate_to_datetime

__all__ = ["FaultyProxy", "faulty"]

_CHUNK = 65536
_DATE = re.compile(rb"(?<=\r\ndate: )[^\r]+", re.IGNORECASE)

_Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class FaultyProxy:
    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._behaviour: _Behaviour = self._relay
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: int | None = None
        self._skew = 0.0
        self._reads = asyncio.Event()
        self._reads.set()
        self.port = 0
        self.connections = 0
        """How many have come."""
        self.stalled = asyncio.Event()
        """A connection has been taken that gets no answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    # Faults -----------------------------------------------------------------------------------------

    def heal(self) -> None:
        self._behaviour, self._left, self._skew = self._relay, None, 0.0
        self._reads.set()

    async def refuse(self) -> None:
        """Nobody listens any more, and what stands is cut."""
        assert self._server is not None
        self._server.close()
        self.cut()

    async def listen_again(self) -> None:
        self._server = await asyncio.start_server(self._came, "127.0.0.1", self.port, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    def answer(self, status: int, *, retry_after: float | None = None, code: str | None = None) -> None:
        """An HTTP refusal in the API's shape, before the upstream has seen anything."""
        message = f"Said with status {status}"
        body = json.dumps({"error": {"message": message, "type": "server_error", "code": code, "param": None}})
        after = f"Retry-After: {retry_after:g}\r\n" if retry_after is not None else ""
        head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nx-request-id: req_faulty\r\n{after}"
        text = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(text)
            await writer.drain()
            writer.write_eof()
            while await reader.read(_CHUNK):
                pass  # what is left of the request: closing on it would take the answer away

        self._behaviour = behave

    def stall(self) -> None:
        """Connections are taken, and nothing is ever answered."""

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.stalled.set()
            while await reader.read(_CHUNK):
                pass

        self._behaviour = behave

    def skew(self, seconds: float) -> None:
        """The upstream's clock is ahead by so much, to judge by its ``Date``."""
        self._skew = seconds

    def cut(self) -> None:
        """All that stands, without a word."""
        for stream in list(self._streams):
            stream.transport.abort()

    def cut_after(self, size: int) -> None:
        """Once so many more bytes have come from the upstream: in the middle of a frame, say."""
        self._left = size

    def slow(self) -> None:
        """Nothing that is sent to the upstream is read any more."""
        self._reads.clear()

    # Connections ------------------------------------------------------------------------------------

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._tasks.add(task)
        self._streams.add(writer)
        try:
            await self._behaviour(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._streams.discard(writer)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        self._streams.add(to_them)
        try:
            pumps = [
                asyncio.create_task(self._pump(reader, to_them, self._reads)),
                asyncio.create_task(self._pump_back(theirs, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._streams.discard(to_them)
            to_them.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may: asyncio.Event) -> None:
        while data := await reader.read(_CHUNK):
            await may.wait()
            writer.write(data)
            await writer.drain()

    async def _pump_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self._skew:
                data = _DATE.sub(self._skewed, data)
            if self._left is not None and len(data) > self._left:
                writer.write(data[: self._left])
                await writer.drain()
                self._left = None  # who comes again is spared
                self.cut()
                return
            if self._left is not None:
                self._left -= len(data)
            writer.write(data)
            await writer.drain()

    def _skewed(self, date: re.Match[bytes]) -> bytes:
        told = parsedate_to_datetime(date[0].decode()).timestamp()
        return formatdate(told + self._skew, usegmt=True).encode()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def faulty(upstream_port: int) -> AsyncIterator[FaultyProxy]:
    proxy = FaultyProxy(upstream_port)
    await proxy.listen_again()
    try:
        yield proxy
    finally:
        await proxy.close()
