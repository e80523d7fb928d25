"""After an attack in which every secret of the house was at work, none of them is found where it does not belong: in a
line of the log, in an answer to somebody else, in an address, in a metric, or in the database."""

import io
import logging
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.attack.house import CALLS, GIVEN, JWT_SECRET, House, bearer, event, house
from vivavoce.backends.interface import BackendError
from vivavoce.server.logs import LineFormatter

OWN = "sk-a-users-own-key-0123456789"
OWNERS = "sk-the-links-owners-key-0123456789"
MCP = "mcp-credential-of-this-test-0123456789"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log as the process writes it, from the most talkative level up."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LineFormatter([GIVEN, JWT_SECRET]))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


TOOL = {"type": "mcp", "server_label": "x", "server_url": "https://x.example", "authorization": MCP}
SDP = {"Content-Type": "application/sdp"}


async def upgraded(at: House, query: str, headers: dict[str, str]) -> httpx.Response:
    """The first event on a WebSocket, or its refusal."""
    try:
        async with connect(at.served.ws + query, additional_headers=headers) as socket:
            return httpx.Response(200, json=await event(socket))
    except InvalidStatus as refused:
        return httpx.Response(refused.response.status_code, content=bytes(refused.response.body or b""))


async def rampage(at: House, keys: dict[str, str], share: str) -> list[str]:
    """Everything that can be done with them, rightly and wrongly; every answer but those that hand out a key."""
    heard: list[httpx.Response] = []
    own = {"X-Vivavoce-Upstream-Key": OWN}
    for key in keys.values():
        theirs = {**bearer(key), **own}
        heard.append(await at.http.post(CALLS, content="garbage", headers=theirs))
        heard.append(await at.http.post(CALLS, content="v=0 garbage", headers={**theirs, **SDP}))
        heard.append(await at.http.post(f"/v1/realtime/client_secrets/{key}", json={}, headers=theirs))
        heard.append(await at.http.get("/api/config", headers=theirs))
        heard.append(await at.http.get(f"/{key}?key={key}", headers=theirs))
        heard.append(await at.http.post(f"{CALLS}/{key}/hangup", headers=theirs))
        heard.append(await at.mint(key, session={"type": "realtime", "voice": key}, apiKeys={"openai": OWN}))
        heard.append(await at.mint(key, apiKeys={"openai": f"{OWN} {OWN}"}))
        heard.append(await at.mint(key, share=key, nonsense=key))
        minted = await at.mint(key, session={"type": "realtime", "tools": [TOOL]}, apiKeys={"openai": OWN})
        assert MCP not in minted.text
        assert OWN not in minted.text
        queries = ("", "?agent=nobody", f"?call_id={key}", f"?x={key}")
        heard += [await upgraded(at, query, theirs) for query in queries]
    heard.append(await at.mint(share=share + "x"))
    heard.append(await at.http.get(f"/?share={share}"))
    heard.append(await at.http.get("/health"))
    heard.append(await at.http.get("/ready"))
    return [f"{answer.headers} {answer.text}" for answer in heard]


async def test_no_secret_is_told_to_anybody(log: io.StringIO):
    async with house() as at:
        stored, _ = await at.key()
        share, _ = await at.share(seconds=600.0, key=OWNERS)
        keys = {
            "given": GIVEN,
            "stored": stored,
            "user": at.token("ada"),
            "ephemeral": await at.ephemeral(GIVEN, apiKeys={"openai": OWN}),
            "shared": await at.ephemeral(share=share),
        }
        at.backend.failing = BackendError.of(502, "The upstream failed.")
        heard = await rampage(at, keys, share)
        at.backend.failing = RuntimeError(f"a mistake of ours, with {stored} and {OWN} and {share} in it")
        heard += await rampage(at, keys, share)
        tables = await at.store.database.run(
            lambda it: [
                repr(it.exec_driver_sql(f"SELECT * FROM {name}").all())
                for name in ("api_keys", "grants", "share_links", "direct_calls")
            ]
        )
        urls = [repr(live) for live in at.served.service.registry._live]
    secrets = [*keys.values(), share, OWN, OWNERS, MCP, JWT_SECRET]
    said = log.getvalue()
    assert "a mistake of ours" in said  # the log was written, and its secrets taken out
    for secret in secrets:
        assert secret not in said
        assert not [text for text in (*heard, *tables, *urls) if secret in text], secret
