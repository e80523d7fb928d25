"""What stands in for the client in the hub of a call whose media passes us by."""

import asyncio

from vivavoce.protocol.frame import Closed, Frame

__all__ = ["Absent"]


class Absent:
    """The client's :class:`Line` of such a call: it says nothing here, and has heard everything already."""

    def __init__(self) -> None:
        self._ended: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    async def receive(self) -> Frame:
        raise await asyncio.shield(self._ended)

    async def send(self, frame: Frame) -> None:
        if self._ended.done():
            raise self._ended.result()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self._ended.done():
            self._ended.set_result(Closed(code, reason))
