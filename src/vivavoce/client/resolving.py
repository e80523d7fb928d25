"""Looking up the addresses of a host."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

__all__ = ["Resolve", "resolve"]

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host, best first. Raises ``OSError`` where it has none."""


async def resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
