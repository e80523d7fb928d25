"""Time that jumps: an event loop whose clock moves on to the next timer whenever nothing else is ready.

A scripted conversation of thirty seconds runs in microseconds, and always the same. Thread work
(``asyncio.to_thread``) is waited for and takes no virtual time. Sockets and processes do not belong
here: nobody waits for them. When everything waits and no timer is left, :class:`Deadlock` is raised
instead of a test that hangs.

    @virtual_time
    async def test_a_minute():
        await asyncio.sleep(60)
"""

import asyncio
import functools
import inspect
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

from tests.support.leaks import no_leaks

__all__ = ["Deadlock", "VirtualLoop", "run_virtual", "virtual_time"]

THREAD_PATIENCE = 10.0
"""Real seconds to wait for work in a thread before it counts as stuck."""

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")


class Deadlock(AssertionError):
    """Every task waits and no timer will wake any."""


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual_now = 0.0
        self.threads_at_work = 0
        super().__init__(_JumpingSelector(self))
        self._clock_resolution = 1e-9  # what is due after a jump is due, whatever the last bit of the sum says

    def time(self) -> float:
        return self._virtual_now

    def jump(self, seconds: float) -> None:
        self._virtual_now += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], Any], *args: *Ts
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self.threads_at_work += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        self.threads_at_work += 1  # it joins the pool in a thread of its own
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self.threads_at_work -= 1

    def _thread_done(self, _future: object) -> None:
        self.threads_at_work -= 1


class _JumpingSelector(selectors.BaseSelector):
    """A real selector that never waits for time to pass: it moves the loop's clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        idle = timeout is None or timeout > 0
        ready = self._real.select(THREAD_PATIENCE if idle and self._loop.threads_at_work else 0)
        if ready or not idle:
            return ready
        if timeout is None or self._loop.threads_at_work:
            raise Deadlock(_who_waits(self._loop))
        self._loop.jump(timeout)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def _who_waits(loop: VirtualLoop) -> str:
    lines = [f"at {loop.time():.3f} s everything waits for something that will not come:"]
    for task in asyncio.all_tasks(loop):
        chain: list[str] = []
        inner: object = task.get_coro()
        while inspect.iscoroutine(inner) and inner.cr_frame:
            chain.append(f"{inner.__qualname__} (line {inner.cr_frame.f_lineno})")
            inner = inner.cr_await
        lines.append(f"  {task.get_name()}: {' > '.join(chain)}")
    return "\n".join(lines)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a new virtual loop. Fails when ``main`` leaves tasks behind."""

    async def checked() -> T:
        async with no_leaks():
            return await main

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(checked())


def virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """For an async test: run it with :func:`run_virtual`. Its fixtures have to be plain ones."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtual(test(*args, **kwargs))

    return run
