"""Where the server's tools of one session are at work, some at a time, and where clocks are set; all of it ends with
the session."""

import asyncio
from collections.abc import Callable, Sequence

from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.sessions.filters import Asides
from vivavoce.tools.interface import Caller, ServerTool
from vivavoce.tools.running import run

__all__ = ["AT_ONCE", "Bench", "Ended"]

AT_ONCE = 4
"""Tools of one session that run at one time; more wait for their turn."""

Make = Callable[[], Sequence[Frame]]
Ended = Callable[[str | McpFailure], Sequence[Frame]]


class Bench:
    """``run`` goes on beside the session. What comes of it is told through ``asides`` to the filter ``to``."""

    def __init__(self, asides: Asides) -> None:
        self._asides = asides
        self._places = asyncio.Semaphore(AT_ONCE)
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self._group:
            await asyncio.Event().wait()

    def start(self, key: str, tool: ServerTool, arguments: str, caller: Caller, to: object, ended: Ended) -> None:
        """``ended`` is given the result, in the order of the session's frames."""

        async def job() -> None:
            async with self._places:
                result = await run(tool, arguments, caller, asyncio.get_running_loop().time)
            await self._asides.hear_in_time(to, lambda: ended(result))

        self._begin(key, job, f"tool {tool.name}")

    def remind(self, key: str, seconds: float, to: object, make: Make) -> None:
        """Have ``make`` called in a while, in the order of the session's frames."""

        async def job() -> None:
            await asyncio.sleep(seconds)
            await self._asides.hear_in_time(to, make)

        self._begin(key, job, f"in a while: {key}")

    def cancel(self, key: str) -> None:
        """Give up what was begun under this key, if it goes on."""
        if job := self._jobs.get(key):
            job.cancel()

    def _begin(self, key: str, job: "Callable[[], object]", name: str) -> None:
        self.cancel(key)
        task = self._jobs[key] = self._group.create_task(job(), name=name)  # type: ignore[arg-type]
        task.add_done_callback(lambda _: self._ended(key, task))

    def _ended(self, key: str, task: "asyncio.Task[None]") -> None:
        if self._jobs.get(key) is task:
            del self._jobs[key]
