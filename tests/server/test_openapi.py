"""The OpenAPI document says what the routes are, all of them and nothing else."""

from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from tests.support.backends import ScriptedBackend
from vivavoce.server.app import build
from vivavoce.server.openapi import described, document
from vivavoce.server.operations import Content, Operation
from vivavoce.server.options import ServerOptions


def built() -> Starlette:
    return build(ServerOptions(), ScriptedBackend())


async def served(app: Starlette) -> dict[str, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/api/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told: dict[str, Any] = answer.json()
    return told


def routed(routes: Any, under: str = "") -> set[tuple[str, str]]:
    """Method and path of every HTTP route, however deep it is mounted."""
    found: set[tuple[str, str]] = set()
    for route in routes:
        if isinstance(route, Mount):
            found |= routed(route.routes or [], under + route.path)
        elif isinstance(route, Route):
            found |= {(method, under + route.path) for method in (route.methods or set()) - {"HEAD"}}
    return found


async def test_document_and_routes_are_the_same():
    app = built()
    told = await served(app)
    documented = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert documented == routed(app.routes)
    assert len(documented) > 15


async def test_names_are_given_once_and_references_lead_somewhere():
    told = await served(built())
    names = [each["operationId"] for methods in told["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))
    for reference in references(told):
        at: Any = told
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]
        assert at


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for each in value.values() for found in references(each)]
    return [found for each in value for found in references(each)] if isinstance(value, list) else []


class Wanted(msgspec.Struct):
    limit: int = 5


async def test_what_an_operation_says_stands_in_the_document():
    async def nothing(*_: Any) -> Any: ...

    operation = Operation(
        method="PATCH", path="/api/things/{id}", name="change", says="Change a thing", handle=nothing, key="manage",
        query=Wanted, body=Content(Wanted), answers=(Content(Wanted), Content(None, ("text/plain",))), refusals=(409,),
    )  # fmt: skip
    told = document(described([operation]))["paths"]["/api/things/{id}"]["patch"]
    assert [(each["name"], each["in"], each["required"]) for each in told["parameters"]] == [
        ("id", "path", True),
        ("limit", "query", False),
    ]
    assert set(told["responses"]["200"]["content"]) == {"application/json", "text/plain"}
    assert {"401", "409"} <= told["responses"].keys()
    assert told["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Wanted"}
