"""A handler of ours is told who asks, and its query and body as the shapes that the table of routes names for it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.access.principal import Principal, Scope
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import check
from vivavoce.server.operations import JSON, Content, Method, Operation
from vivavoce.server.service import Service, bearer
from vivavoce.server.v1.client_secrets import read_json

__all__ = ["Asked", "operation"]

Query = TypeVar("Query")
Body = TypeVar("Body")
Handler = Callable[[Service, "Asked[Any, Any]"], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Asked(Generic[Query, Body]):
    principal: Principal
    path: Mapping[str, str]
    query: Query
    body: Body
    base_url: str
    """How this server was called, without a slash at its end."""

    @property
    def sees(self) -> str | None:
        """Whose data the principal may see: its own, by its name; None is everybody's."""
        return None if "manage" in self.principal.scopes else self.principal.name


def operation(
    method: Method,
    path: str,
    handler: Handler,
    says: str,
    *,
    answers: Any = None,
    media: tuple[str, ...] = (JSON,),
    key: Scope = "connect",
    query: Any = None,
    body: Any = None,
    name: str = "",
) -> Operation:
    """``handler`` answers with a value of the type ``answers``, or, for other ``media``, with a response. An ephemeral
    key is none for these: it opens sessions and nothing else."""

    async def handle(service: Service, request: Request) -> Response:
        principal = await service.gate.enter_with_standard_key(bearer(request), key)
        if any("\0" in text for text in (*request.path_params.values(), *request.query_params.values())):
            raise ProtocolError("invalid_value", "An address holds no NUL.")  # nor does a database
        asked = Asked(
            principal,
            request.path_params,
            check(dict(request.query_params), query, strict=False) if query else None,
            check(await read_json(request), body) if body else None,
            str(request.base_url).rstrip("/"),
        )
        told = await handler(service, asked)
        if isinstance(told, Response):
            return told
        return Response(msgspec.json.encode(told), media_type=JSON, headers={"Cache-Control": "no-store"})

    return Operation(
        method=method, path=path, name=name or handler.__name__, says=says, handle=handle, key=key, query=query,
        body=Content(body) if body else None, answers=(Content(answers, media),),
    )  # fmt: skip
