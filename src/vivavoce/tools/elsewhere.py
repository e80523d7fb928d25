"""Where the owner's Python runs: beside the loop that carries the conversations, which it can neither block nor end.

A function runs in one of a few threads; a coroutine on an event loop in a thread of its own, so that one that blocks
holds up other tools at most. Nothing can end a thread from outside: who waits gives up, and the thread is free again
when the function returns. The threads are daemons, so that one that hangs for ever does not keep the server alive.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

__all__ = ["THREADS", "Elsewhere"]

THREADS = 16
"""Functions that run at one time, for all sessions; more wait, and their time runs."""

T = TypeVar("T")


class Elsewhere:
    def __init__(self, threads: int = THREADS) -> None:
        self._threads = _Threads(threads)
        self._loop = _Loop()

    async def function(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises; ``RuntimeError`` where it would have ended the process."""
        running = asyncio.get_running_loop()
        return await running.run_in_executor(self._threads, copy_context().run, partial(_contained, work))

    async def coroutine(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The same of a coroutine function. Cancelling this cancels what it made."""
        return await asyncio.wrap_future(self._loop.submit(work))

    def close(self) -> None:
        """What still runs is left to itself."""
        self._threads.shutdown()
        self._loop.stop()


class _Threads(Executor):
    """As the standard library's, but of daemons, and of no more threads than are needed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = self._unfinished = 0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        future: Future[T] = Future()
        self._waiting.put(partial(self._do, future, partial(fn, *args, **kwargs)))
        with self._lock:
            self._unfinished += 1
            if self._unfinished > self._started and self._started < self._most:
                self._started += 1
                threading.Thread(target=self._work, name=f"tool {self._started}", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for _ in range(self._started):
            self._waiting.put(None)

    def _work(self) -> None:
        while (do := self._waiting.get()) is not None:
            do()

    def _do(self, future: "Future[T]", work: Callable[[], T]) -> None:
        try:
            if future.set_running_or_notify_cancel():  # else whoever asked has given up meanwhile
                future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                self._unfinished -= 1


class _Loop:
    """Started when the first coroutine comes."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> "Future[T]":
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._run, args=[self._loop], name="tools' loop", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop)

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


def _contained(work: Callable[[], T]) -> T:
    try:
        return work()
    except Exception as error:
        if isinstance(error, StopIteration):  # which no future can hold
            raise RuntimeError("it raised StopIteration") from error
        raise
    except BaseException as error:
        raise RuntimeError(f"it raised {type(error).__name__}, which would have ended the server") from error


async def _awaited(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return await work()
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"it raised {type(error).__name__}, which would have ended the server") from error
