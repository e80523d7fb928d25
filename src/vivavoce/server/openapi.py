"""The OpenAPI 3.1 document of this server, written from the tables of its routes: ``GET /api/openapi.json``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vivavoce import __version__
from vivavoce.server.operations import JSON, Content, Operation
from vivavoce.server.service import Service

__all__ = ["Error", "Refusal", "described", "document"]

Json = dict[str, Any]

ABOUT = (
    "`/v1` is the OpenAI Realtime API; `/api` is Vivavoce's own. While nobody has been given a key, link or token, "
    "no key is needed on this machine."
)
TAGS = {"/v1": "OpenAI API", "/api": "Vivavoce", "": "Watching"}
ALWAYS = (400, 403, 404, 413, 429, 431, 503)
"""Refusals that any request may get: a wrong field, a site or a host that is not known, too many or too much."""
KEY = "key"
_PARAMETER = re.compile(r"{(\w+)}")


class Error(msgspec.Struct):
    message: str
    type: str
    param: str | None
    """The dotted path of the field at fault."""
    code: str | None


class Refusal(msgspec.Struct):
    """Every refusal has this shape, as at OpenAI."""

    error: Error


def described(operations: Sequence[Operation]) -> list[Operation]:
    """``operations`` and the one that serves the document of them all."""

    async def openapi(_service: Service, _request: Request) -> Response:
        return Response(written, media_type=JSON, headers={"Cache-Control": "no-cache"})

    own = Operation(
        method="GET", path="/api/openapi.json", name="openapi", says="This document", handle=openapi,
        answers=(Content(dict[str, Any]),),
    )  # fmt: skip
    table = [*operations, own]
    written = msgspec.json.encode(document(table))
    return table


def document(operations: Iterable[Operation]) -> Json:
    operations = list(operations)
    shapes = [shape for each in operations for shape in _shapes(each)]
    schemas, components = msgspec.json.schema_components([*shapes, Refusal], ref_template="#/components/schemas/{name}")
    known = dict(zip(shapes, schemas, strict=False))
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, known)
    refused = {"description": "Why it was refused", "content": {JSON: {"schema": schemas[-1]}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vivavoce", "version": __version__, "description": ABOUT, "license": {"name": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Refused": refused},
            "securitySchemes": {KEY: {"type": "http", "scheme": "bearer"}},
        },
    }


def _shapes(operation: Operation) -> list[Any]:
    contents = [content for content in (operation.body, *operation.answers) if content]
    return [content.shape for content in contents if content.shape is not None]


def _operation(operation: Operation, known: Mapping[Any, Json]) -> Json:
    told: Json = {
        "operationId": operation.name,
        "summary": operation.says,
        "tags": [next(tag for prefix, tag in TAGS.items() if operation.path.startswith(prefix))],
        "parameters": [*_in_path(operation.path), *_in_query(operation.query)],
        "responses": {**_answers(operation, known), **_refusals(operation)},
    }
    if operation.key is not None:
        told |= {"security": [{KEY: []}], "description": f"The key needs the scope `{operation.key}`."}
    if operation.body is not None:
        told["requestBody"] = {"content": _content(operation.body, known)}
    return told


def _in_path(path: str) -> list[Json]:
    names = _PARAMETER.findall(path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _in_query(shape: Any) -> list[Json]:
    """Each field of the shape, as a parameter."""
    if shape is None:
        return []
    schema = msgspec.json.schema(shape)["$defs"][shape.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        for name, field in schema["properties"].items()
    ]


def _answers(operation: Operation, known: Mapping[Any, Json]) -> Json:
    told: Json = {}
    for content in operation.answers:
        answer = told.setdefault(str(content.status), {"description": operation.says})
        if content.media:
            answer.setdefault("content", {}).update(_content(content, known))
    return told


def _refusals(operation: Operation) -> Json:
    statuses = {*ALWAYS, *operation.refusals} | ({401} if operation.key else set())
    if operation.own_refusals:
        told: Json = {"description": "Why it was refused", "content": {JSON: {"schema": {"type": "object"}}}}
        return {str(status): told for status in sorted({*statuses, 500})}
    return {str(status): {"$ref": "#/components/responses/Refused"} for status in sorted(statuses)}


def _content(content: Content, known: Mapping[Any, Json]) -> Json:
    schema: Json = {} if content.shape is None else known[content.shape]
    return {media: {"schema": schema} for media in content.media}
