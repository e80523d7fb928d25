"""What a page needs to know before its first click: ``GET /api/config``.

Anybody may ask. Which agents there are, and credentials for relays, are told to those alone who may open sessions.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from vivavoce.access.agents import Agent
from vivavoce.access.gate import Refused
from vivavoce.server.service import Service, bearer

__all__ = ["agent_shown", "config"]


async def config(service: Service, request: Request) -> JSONResponse:
    options = service.options
    entered = await _may_enter(service, request)
    default = options.agents.default
    told = {
        "authentication": "key" if await service.gate.demands() else "none",
        "transport": options.transport,
        "debug": options.debug,
        "language": options.language,
        "model": _model(service, default),
        "voice": options.voice,
        "voices": list(options.voices),
        "answers": service.backend.name,
        "agent": default.name if default else None,
        "agents": [agent_shown(service, agent) for agent in options.agents] if entered else [],
        "iceServers": options.ice.for_client(service.now(), relays=entered),
        "relays": not entered and bool(options.ice.turn),
        "estimate": _estimate(service, _model(service, default)),
        "store": (default.store if default else None) or options.store,
    }
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def _may_enter(service: Service, request: Request) -> bool:
    try:
        await service.gate.enter(bearer(request))
    except Refused:
        return False
    return True


def _model(service: Service, agent: Agent | None) -> str:
    return str((agent.session if agent else {}).get("model") or service.options.model)


def agent_shown(service: Service, agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "description": agent.description,
        "clientMay": sorted(agent.client_may),
        "budget": {
            "usd": None if agent.budget_usd is None else float(agent.budget_usd),
            "minutes": agent.max_minutes,
        },
        "estimate": _estimate(service, _model(service, agent)),
        "store": agent.store or service.options.store,
    }


def _estimate(service: Service, model: str) -> dict[str, Any]:
    """What ten minutes of talk will cost about; ``usd`` is null where nobody here knows."""
    prices = service.options.prices
    price = prices.find(model)
    usd = None if price is None else round(float(price.estimate(10)), 4)
    return {"minutes": 10, "usd": usd, "as_of": prices.as_of.isoformat() if prices.as_of else None}
