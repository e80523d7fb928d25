"""The addresses that whoever starts and watches the process asks."""

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.server.health import health, ready
from vivavoce.server.operations import Content, Operation
from vivavoce.server.service import Service

__all__ = ["OPERATIONS"]


async def _health(_service: Service, request: Request) -> Response:
    return await health(request)


OPERATIONS = [
    Operation(method="GET", path="/health", name="health", handle=_health, says="Is the process alive?"),
    Operation(
        method="GET", path="/ready", name="ready", handle=ready, says="Does it take sessions?",
        answers=(Content(dict[str, bool | int]), Content(dict[str, bool | int], status=503)),
    ),
]  # fmt: skip
