"""A call on loopback addresses alone, for a network namespace that has nothing else. The caller is like a
browser with ``--allow-loopback-in-peer-connection``."""

import asyncio

from tests.transports.webrtc.caller import calling
from vivavoce.protocol.frame import Frame


async def main() -> None:
    async with calling() as (call, caller):
        await call.send(Frame("session.created", {"type": "session.created"}))
        print((await caller.event())["type"])


if __name__ == "__main__":
    asyncio.run(main())
