"""One address of the HTTP API: who may ask, what is sent and what is answered.

The routes are made from tables of these, and so is the OpenAPI document (``openapi.py``): neither can say what the
other does not.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vivavoce.access.principal import Scope
from vivavoce.server.service import Service

__all__ = ["JSON", "Content", "Handle", "Method", "Operation", "routes"]

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Handle = Callable[[Service, Request], Awaitable[Response]]

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a body."""

    shape: Any = None
    """A type that msgspec knows, for JSON; None is what no schema describes: bytes, or nothing where ``media`` is
    empty."""
    media: tuple[str, ...] = (JSON,)
    status: int = 200
    """Of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: Method
    path: str
    """The whole of it; a name in braces is a parameter."""
    name: str
    """By which generated clients call it."""
    says: str
    """What it does, in a line."""
    handle: Handle
    key: Scope | None = None
    """The scope that the key of the request must have; None is that anybody may ask."""
    query: Any = None
    """A :class:`Shape`."""
    body: Content | None = None
    answers: tuple[Content, ...] = (Content(dict[str, Any]),)
    refusals: tuple[int, ...] = ()
    """Statuses of refusals that are its own, beside those that any operation may give."""
    own_refusals: bool = False
    """Whether refusals have another shape than everywhere else, and 500 is one of them."""


def routes(service: Service, operations: Iterable[Operation], under: str) -> list[Route]:
    """Those below the path ``under``, for a router that is mounted there."""
    return [
        Route(each.path.removeprefix(under), partial(each.handle, service), methods=[each.method], name=each.name)
        for each in operations
        if each.path.startswith(under + "/") or not under
    ]
