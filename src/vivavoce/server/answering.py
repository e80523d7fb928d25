"""How offers of WebRTC are answered here: with aiortc, on the ports and addresses that the settings give."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.frame import Line
from vivavoce.server.options import Calls
from vivavoce.server.service import AnswerCall

__all__ = ["answering"]


def answering(calls: Calls, new_id: Callable[[str], str], now: Callable[[], float]) -> AnswerCall:
    """``now`` gives unix seconds."""
    reach: Any = None

    async def answer(offer: str, dialect: Dialect) -> tuple[Line, str]:
        nonlocal reach
        # 30 MB and half a second, once, unless it was warmed up; beside the loop, where other sessions go on.
        call = await asyncio.to_thread(importlib.import_module, "vivavoce.transports.webrtc.call")
        reach = reach or call.reach(calls.udp_ports, calls.public)  # one for all calls, which share its ports
        servers = calls.servers.for_client(now(), relays=True)
        answered: tuple[Line, str] = await call.answer(
            offer, dialect, new_id=lambda: new_id("event_"), reach=reach, servers=servers
        )
        return answered

    return answer
