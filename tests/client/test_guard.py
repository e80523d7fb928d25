"""Where the transport goes, with and without a network."""

from collections.abc import Sequence

import httpx2
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from tests.support.mcp_server import serving_http
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.client.guard import MAX_BYTES, GuardedTransport


class Names:
    """Answers each question for a name with the next of these."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0)


class Wire(httpx2.AsyncBaseTransport):
    """Notes what would be sent."""

    def __init__(self, *down: str) -> None:
        self.sent: list[httpx2.Request] = []
        self.down = down

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host in self.down:
            raise httpx2.ConnectError("down")
        self.sent.append(request)
        return httpx2.Response(200, text="hello")


def guard(entry: str, names: Names, wire: Wire | None = None) -> GuardedTransport:
    return GuardedTransport(AllowList([Allowed.parse(entry)]), names, wire)


async def get(transport: GuardedTransport, url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
        return await client.get(url)


async def refusal(transport: GuardedTransport, url: str) -> str:
    with pytest.raises(httpx2.TransportError):
        await get(transport, url)
    assert transport.refused
    return transport.refused.failure.message


async def test_the_connection_goes_to_the_address_that_was_judged_under_the_name_that_was_asked_for():
    wire, names = Wire(), Names(["93.184.215.14"], ["127.0.0.1"])
    transport = guard("https://mcp.example", names, wire)
    for path in ("/a", "/b"):
        assert (await get(transport, f"https://mcp.example{path}")).text == "hello"
    assert [str(request.url) for request in wire.sent] == ["https://93.184.215.14/a", "https://93.184.215.14/b"]
    assert wire.sent[0].headers["host"] == "mcp.example"
    assert wire.sent[0].extensions["sni_hostname"] == "mcp.example"
    assert names.asked == [("mcp.example", 443)]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "224.0.0.1"]
)
async def test_a_name_that_leads_into_the_own_network_is_refused(address: str):
    wire = Wire()
    said = await refusal(guard("https://mcp.example/v1", Names([address]), wire), "https://mcp.example/v1")
    assert said.startswith(f"mcp.example leads to {address}, which is not on the public internet.")
    assert "--allow-mcp https://mcp.example:443#private" in said
    assert not wire.sent


async def test_of_several_addresses_only_public_ones_are_tried():
    wire = Wire("93.184.215.14")
    transport = guard("https://mcp.example", Names(["10.0.0.1", "93.184.215.14", "2606:4700::1111"]), wire)
    await get(transport, "https://mcp.example/")
    assert [request.url.host for request in wire.sent] == ["2606:4700::1111"]


async def test_nothing_there():
    wire = Wire("93.184.215.14")
    said = await refusal(guard("https://mcp.example", Names(["93.184.215.14"]), wire), "https://mcp.example/")
    assert said == "Nothing answers at mcp.example."


async def test_no_such_host():
    class Nobody(Names):
        async def __call__(self, host: str, port: int) -> Sequence[str]:
            raise OSError("not known")

    assert (
        await refusal(guard("https://mcp.example", Nobody()), "https://mcp.example/") == "There is no host mcp.example."
    )


@pytest.mark.parametrize(
    "url", ["http://mcp.example/v1", "https://mcp.example/", "https://other.example/v1", "https://mcp.example:444/v1"]
)
async def test_what_is_not_allowed_is_not_even_looked_up(url: str):
    names = Names()
    assert "which is not allowed here" in await refusal(guard("https://mcp.example/v1", names, Wire()), url)
    assert not names.asked


async def test_a_private_name_that_was_written_down_as_one():
    async with serving_http(PlainTextResponse("hello")) as host:
        transport = guard(f"http://home:{host.port}#private", Names(["127.0.0.1"]))
        assert (await get(transport, host.at("/mcp", "home"))).text == "hello"
        assert host.seen[0].headers["host"] == f"home:{host.port}"


async def test_all_answers_together_are_bounded():
    async def body(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x" * (MAX_BYTES // 2 + 1))(scope, receive, send)

    async with serving_http(body) as host:
        transport = guard(host.at("/"), Names(["127.0.0.1"]))
        async with httpx2.AsyncClient(transport=transport) as client:
            assert (await client.get(host.at("/"))).status_code == 200
            with pytest.raises(httpx2.ReadError):
                await client.get(host.at("/"))
        assert transport.refused
        assert transport.refused.failure.message == "The MCP server answers with more than 1024 KiB."


async def test_a_compressed_answer_is_not_unpacked():
    bomb = Response(b"\x1f\x8b", headers={"content-encoding": "gzip"})
    async with serving_http(bomb) as host:
        said = await refusal(guard(host.at("/"), Names(["127.0.0.1"])), host.at("/"))
        assert said == "127.0.0.1 compresses its answer without being asked to."
        assert host.seen[0].headers["accept-encoding"] == "identity"
