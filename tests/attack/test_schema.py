"""schemathesis: what the OpenAPI document allows, and what it does not, thrown at the HTTP routes of a real server.
Whatever comes, the answer is one of the document's, in its shape, and never a mistake of ours."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.attack.house import GIVEN, bearer, house
from tests.support.backends import ScriptedBackend
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions

EXAMPLES = 3


@schemathesis.serializer("application/sdp", "audio/webm", "audio/ogg")
def as_it_is(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return str(value).encode(errors="surrogatepass")


WEBSOCKET = "realtime"
"""The one operation that no HTTP client can do."""


async def served() -> dict[str, Any]:
    app = httpx.ASGITransport(build(ServerOptions(), ScriptedBackend()))
    async with httpx.AsyncClient(transport=app, base_url="http://localhost") as http:
        return dict((await http.get("/api/openapi.json")).json())


OWN_REFUSALS = ["/api/openai/realtime/token", "/api/openai-realtime/session"]
"""These answer 500, as the documents say whose addresses they are."""

whole = schemathesis.openapi.from_dict(asyncio.run(served()))
schema = whole.exclude(operation_id=WEBSOCKET).exclude(path=OWN_REFUSALS)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server in a thread of its own, since schemathesis asks and waits."""
    told: list[str] = []
    up = threading.Event()
    loop = asyncio.new_event_loop()
    down = asyncio.Event()

    async def run() -> None:
        async with house() as at:
            told.append(at.served.http)
            up.set()
            await down.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert up.wait(30)
    yield told[0]
    loop.call_soon_threadsafe(down.set)
    thread.join(30)
    loop.close()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_of_the_documents(case: schemathesis.Case[Any], address: str):
    for headers in (bearer(GIVEN), {}):
        answer = case.call(base_url=address, headers=headers)
        case.validate_response(
            answer,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
        )
