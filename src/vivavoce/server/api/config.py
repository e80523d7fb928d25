"""What the page needs to know before its first click."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from vivavoce.server.service import Service

__all__ = ["config"]


async def config(service: Service, _request: Request) -> JSONResponse:
    options = service.options
    told = {
        "transport": options.transport,
        "debug": options.debug,
        "model": options.model,
        "voice": options.voice,
        "answers": service.backend.name,
    }
    return JSONResponse(told, headers={"Cache-Control": "no-store"})
