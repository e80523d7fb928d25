"""Is the process alive, and does it take sessions? For whatever starts and watches it; no key, ever."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from vivavoce.server.service import Service

__all__ = ["health", "ready"]


async def health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def ready(service: "Service", _request: Request) -> JSONResponse:
    """503 while the server is leaving, or full: another one should be asked for new sessions."""
    registry = service.registry
    taking, sessions = registry.taking, len(registry)
    told = {"ready": taking, "sessions": sessions, "load": round(registry.capacity.load(sessions), 2)}
    return JSONResponse(told, 200 if taking else 503)
