"""schemathesis at the plain endpoints, with models behind them that answer anything: whatever comes, the answer is one
of the document's, in its shape, and never a mistake of ours."""

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

from tests.compat.words import PitchStt, WordsLlm
from tests.engine.support import senses
from tests.support.plain import built_in
from vivavoce.backends.builtin import Builtin
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions

EXAMPLES = 8
PLAIN = r"^/v1/(chat|audio|models)"


async def served() -> dict[str, Any]:
    app = httpx.ASGITransport(build(ServerOptions(), Builtin(senses(), lambda: 0.0)))
    async with httpx.AsyncClient(transport=app, base_url="http://localhost") as http:
        return dict((await http.get("/api/openapi.json")).json())


schema = schemathesis.openapi.from_dict(asyncio.run(served())).include(path_regex=PLAIN)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server in a thread of its own, since schemathesis asks and waits."""
    told: list[str] = []
    up, loop, down = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with built_in(stt=PitchStt(), llm=WordsLlm()) as server:
            told.append(server.http)
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
def test_every_answer_is_one_of_the_documents(case: schemathesis.Case[Any], address: str) -> None:
    answer = case.call(base_url=address)
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    case.validate_response(answer, checks=checks)
