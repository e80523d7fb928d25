"""Headers that are too large get words, over HTTP and before an upgrade."""

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.backends import ScriptedBackend
from tests.support.serving import serving
from vivavoce.server.headers import MAX_HEADER, MAX_HEADERS

ONE = {"X-Long": "x" * MAX_HEADER}
MANY = {f"X-{number}": "x" for number in range(MAX_HEADERS)}


@pytest.mark.parametrize("headers", [ONE, MANY])
async def test_a_request_with_headers_too_large_is_refused_in_words(headers: dict[str, str]):
    async with serving(ScriptedBackend()) as served, httpx.AsyncClient() as client:
        answer = await client.get(f"{served.http}/health", headers=headers)
    assert answer.status_code == 431
    assert answer.json()["error"]["code"] == "headers_too_large"


@pytest.mark.parametrize("headers", [ONE, MANY])
async def test_so_is_an_upgrade(headers: dict[str, str]):
    async with serving(ScriptedBackend()) as served:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(served.ws, additional_headers=headers):
                pass
    assert refused.value.response.status_code == 431
    assert b"headers_too_large" in (refused.value.response.body or b"")
