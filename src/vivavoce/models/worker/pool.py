"""The server's side of the workers: a pool that gives each request a worker of its own.

A worker is started when it is first needed, or ahead of time by :meth:`WorkerPool.warm`. Cancelling a
request tells its worker, which has a second to come free and is replaced otherwise; one that dies fails
its request and is replaced. Requests beyond the workers wait, a fixed number of them at most.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

from vivavoce.models.interfaces import ModelError
from vivavoce.models.worker.wire import HEADER, Kind, frame

__all__ = ["WorkerPool"]

START_SECONDS = 30.0
"""A worker that has not loaded its model by then counts as failed."""
SILENT_SECONDS = 60.0
"""A worker that says nothing for so long in the middle of a request counts as dead."""
CANCEL_SECONDS = 1.0
"""What a cancelled worker gets to come free."""

_INHERITED = {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}

_log = logging.getLogger(__name__)


class WorkerPool:
    """``size`` workers that run ``python -m module arguments…``. ``label`` names them to the user ("speech
    recognition"). More than ``max_waiting`` requests in the queue are refused at once."""

    def __init__(
        self, module: str, label: str, *, size: int, max_waiting: int = 16, arguments: Sequence[str] = ()
    ) -> None:
        self._label = label
        self._max_waiting = max_waiting
        self._slots = [_Slot((module, *arguments), label) for _ in range(size)]
        self._free: asyncio.Queue[_Slot] = asyncio.Queue()
        for slot in self._slots:
            self._free.put_nowait(slot)
        self._waiting = 0
        self._mending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def warm(self) -> None:
        """Start the workers that are not running yet. Raises :class:`ModelError` where one cannot."""
        slots = [self._free.get_nowait() for _ in range(self._free.qsize())]
        results = await asyncio.gather(*map(self._warm, slots), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _warm(self, slot: "_Slot") -> None:
        try:
            await slot.worker()
        finally:
            self._free.put_nowait(slot)

    async def ask(self, request: bytes) -> AsyncGenerator[bytes, None]:
        """The chunks of the reply as they are made. Closing the iterator, or cancelling who reads it,
        frees the worker. Raises :class:`ModelError`."""
        slot = await self._lease()
        try:
            worker = await slot.worker()
            async with aclosing(worker.run(request)) as reply:
                async for chunk in reply:
                    yield chunk
        finally:
            self._give_back(slot)

    async def close(self) -> None:
        """End every worker, whatever it does. Idempotent."""
        self._closed = True
        for task in self._mending:
            task.cancel()
        await asyncio.gather(*self._mending, return_exceptions=True)
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def _lease(self) -> "_Slot":
        if self._free.empty() and self._waiting >= self._max_waiting:
            raise ModelError(
                f"{self._label} is busy: {self._waiting} requests are waiting already. Try again in a moment."
            )
        self._waiting += 1
        try:
            return await self._free.get()
        finally:
            self._waiting -= 1

    def _give_back(self, slot: "_Slot") -> None:
        if slot.is_free or self._closed:
            self._free.put_nowait(slot)
        else:
            self._in_background(self._mend(slot))

    async def _mend(self, slot: "_Slot") -> None:
        try:
            await slot.mend()
        except ModelError as error:
            _log.warning("%s", error)  # the next request tries again, and tells its user
        finally:
            self._free.put_nowait(slot)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)


class _Slot:
    """The place of one worker, which may be empty."""

    def __init__(self, command: Sequence[str], label: str) -> None:
        self._command, self._label = command, label
        self._worker: _Worker | None = None
        self._closed = False

    @property
    def is_free(self) -> bool:
        return self._worker is not None and self._worker.is_alive and not self._worker.is_busy

    async def worker(self) -> "_Worker":
        """The running one, or a new one."""
        if self._worker is None or not self._worker.is_alive:
            await self.stop()
            worker = await _Worker.spawn(self._command, self._label)
            self._worker = worker
            try:
                if self._closed:
                    raise ModelError(f"{self._label} has been shut down.")
                await worker.ready()
            except BaseException:
                await self.stop()
                raise
        return self._worker

    async def mend(self) -> None:
        """Have a free worker again, the old one if it heeds its cancellation."""
        if self._worker is not None and not await self._worker.cancel():
            await self.stop()
        await self.worker()

    async def stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.kill()

    async def close(self) -> None:
        """Stop for good, in the middle of a start too."""
        self._closed = True
        await self.stop()


class _Worker:
    """One process. ``run`` is for one request at a time."""

    def __init__(self, process: asyncio.subprocess.Process, label: str) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process, self._label = process, label
        self._requests, self._replies = process.stdin, process.stdout
        self._logging = asyncio.create_task(_log_lines(process.stderr, label))
        self._job = 0
        self._header: tuple[int, int, int] | None = None
        self._broken = False
        self.is_busy = False

    @classmethod
    async def spawn(cls, command: Sequence[str], label: str) -> "_Worker":
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", *command, stdin=pipe, stdout=pipe, stderr=pipe, env=_environment()
        )
        return cls(process, label)

    async def ready(self) -> None:
        """Wait until it has loaded its model."""
        await self._reply(START_SECONDS)

    @property
    def is_alive(self) -> bool:
        return not (self._broken or self._replies.at_eof() or self._process.returncode is not None)

    async def run(self, request: bytes) -> AsyncGenerator[bytes, None]:
        self._job += 1
        self.is_busy = True
        await self._send(frame(Kind.REQUEST, self._job, request))
        while (reply := await self._reply(SILENT_SECONDS))[0] == Kind.CHUNK:
            yield reply[1]
        self.is_busy = False

    async def cancel(self) -> bool:
        """Whether it has come free."""
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await self._send(frame(Kind.CANCEL, self._job))
                while self.is_busy and (await self._reply(SILENT_SECONDS))[0] == Kind.CHUNK:
                    pass
        except (ModelError, TimeoutError):
            return self.is_alive and not self.is_busy
        self.is_busy = False
        return True

    async def kill(self) -> None:
        self._broken = True
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._requests.close()
        # asyncio waits for the pipes to end too, and a full one ends only when read. RuntimeError: who was
        # asking still reads it.
        with contextlib.suppress(RuntimeError):
            while await self._replies.read(65536):
                pass
        await self._process.wait()
        await asyncio.gather(self._logging, return_exceptions=True)

    async def _send(self, data: bytes) -> None:
        try:
            self._requests.write(data)
            await self._requests.drain()
        except OSError as error:
            raise self._died() from error

    async def _reply(self, patience: float) -> tuple[Kind, bytes]:
        """The next frame that is no failure."""
        try:
            async with asyncio.timeout(patience):
                kind, payload = await self._read_frame()
        except (OSError, EOFError) as error:  # a timeout is an OSError, a closed pipe an EOFError
            raise self._died() from error
        if kind == Kind.FAILED:
            self.is_busy = False
            raise ModelError(f"{self._label}: {payload.decode(errors='replace')}")
        return kind, payload

    async def _read_frame(self) -> tuple[Kind, bytes]:
        if self._header is None:
            self._header = HEADER.unpack(await self._replies.readexactly(HEADER.size))
        kind, _job, length = self._header
        payload = await self._replies.readexactly(length)
        self._header = None  # not before: who is cancelled between the two leaves a frame half read
        return Kind(kind), payload

    def _died(self) -> ModelError:
        self._broken = True
        return ModelError(f"{self._label} stopped in the middle of its work. It is being started again: try once more.")


def _environment() -> dict[str, str]:
    """A worker needs no secrets, so it is given none."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _INHERITED or name.startswith(("LC_", "PYTHON"))
    }


async def _log_lines(stderr: asyncio.StreamReader, label: str) -> None:
    while text := await stderr.read(4096):
        for line in text.decode(errors="replace").splitlines():
            _log.info("%s: %s", label, line)
