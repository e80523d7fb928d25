"""The addresses that whoever starts and watches the process asks."""

from starlette.requests import Request
from starlette.responses import Response

from vivavoce.server.health import health, ready
from vivavoce.server.metrics import metrics
from vivavoce.server.operations import Content, Operation
from vivavoce.server.service import Service

__all__ = ["OPERATIONS"]


async def _health(_service: Service, request: Request) -> Response:
    return await health(request)


OPERATIONS = [
    Operation(method="GET", path="/health", name="health", handle=_health, says="Is the process alive?"),
    Operation(
        method="GET", path="/ready", name="ready", handle=ready, says="Does it take sessions?",
        answers=(Content(dict[str, bool | float]), Content(dict[str, bool | float], status=503)),
    ),
    Operation(
        method="GET", path="/metrics", name="metrics", handle=metrics, key="manage", says="Numbers for Prometheus",
        answers=(Content(None, ("text/plain", "application/openmetrics-text")),),
    ),
]  # fmt: skip
