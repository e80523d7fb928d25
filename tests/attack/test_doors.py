"""Ways round the front door of a server that strangers can reach: names, origins, headers, sizes."""

import asyncio
from contextlib import suppress

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.attack.house import CALLS, GIVEN, House, bearer, event, house
from vivavoce.server.headers import MAX_HEADER
from vivavoce.server.run import MAX_MESSAGE
from vivavoce.server.security import MAX_BODY

PUBLIC = "https://voice.example"
EMBEDDER = "https://app.example"


@pytest.fixture
async def at():
    async with house(host="0.0.0.0", public_url=PUBLIC, allow_origins=(EMBEDDER,)) as at:
        yield at


# Names and origins -----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["voice.example", "voice.example:443", "192.0.2.7:7171", "[2001:db8::7]", "localhost"])
async def test_it_is_called_by_its_addresses_and_its_one_name(at: House, host: str):
    assert (await at.http.get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "voice.example.evil.example", "xvoice.example", "192.0.2.7.evil.example", "192.0.2.300"]
)
async def test_a_name_that_was_pointed_here_is_not_answered(at: House, host: str):
    answer = await at.http.post("/v1/realtime/client_secrets", json={}, headers={"Host": host, **bearer(GIVEN)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://voice.example", "https://voice.example:8443"]
)
async def test_a_foreign_page_is_refused_even_with_a_key(at: House, origin: str):
    headers = {"Origin": origin, **bearer(GIVEN)}
    for path in ("/v1/realtime/client_secrets", CALLS, "/api/openai/realtime/token"):
        answer = await at.http.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in answer.headers
    with pytest.raises(InvalidStatus) as refused:
        await connect(at.served.ws, origin=Origin(origin), additional_headers=bearer(GIVEN))
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", [PUBLIC, EMBEDDER])
async def test_ones_own_page_and_the_listed_site_are_let_in(at: House, origin: str):
    headers = {"Origin": origin, "Host": "voice.example", **bearer(GIVEN)}
    answer = await at.http.post("/v1/realtime/client_secrets", json={}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-credentials") is None


async def test_a_form_of_another_site_does_nothing(at: House):
    for content in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        headers = {"Origin": "https://evil.example", "Content-Type": content, "Sec-Fetch-Site": "cross-site"}
        assert (await at.http.post("/v1/realtime/client_secrets", content="{}", headers=headers)).status_code == 403


async def test_nothing_is_changed_by_a_get(at: House):
    for path in ("/v1/realtime/client_secrets", CALLS, f"{CALLS}/rtc_1/hangup", "/v1/realtime/sessions"):
        assert (await at.http.get(path, headers=bearer(GIVEN))).status_code == 405


async def test_no_cookie_is_ever_set_and_none_counts(at: House):
    for path in ("/", "/api/config", "/health"):
        assert "set-cookie" not in (await at.http.get(path)).headers
    cookie = {"Cookie": f"key={GIVEN}; authorization=Bearer {GIVEN}"}
    assert (await at.http.post("/v1/realtime/client_secrets", json={}, headers=cookie)).status_code == 401


async def test_a_key_in_an_address_is_no_key(at: House):
    for query in (f"?key={GIVEN}", f"?api_key={GIVEN}", f"?access_token={GIVEN}"):
        assert (await at.http.post("/v1/realtime/client_secrets" + query, json={})).status_code == 401
        with pytest.raises(InvalidStatus):
            await connect(at.served.ws + query)


async def test_what_is_served_cannot_be_framed_sniffed_or_read_elsewhere(at: House):
    for path in ("/", "/api/config", "/nothing"):
        headers = (await at.http.get(path)).headers
        assert f"frame-ancestors 'self' {EMBEDDER}" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
    assert (await at.http.get("/orb.js")).headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/..%2f..%2fpyproject.toml", "/%2e%2e/options.py", "//etc/passwd"]
)
async def test_files_are_those_of_the_page_alone(at: House, path: str):
    reader, writer = await asyncio.open_connection("127.0.0.1", at.served.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.split()[1] in (b"404", b"403", b"400")


# Sizes -----------------------------------------------------------------------------------------------


async def test_a_body_that_does_not_end_is_not_read_to_its_end(at: House):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 100 * MAX_BODY:
            sent += 65536
            yield b"x" * 65536

    try:
        answer = await at.http.post("/v1/realtime/client_secrets", content=endless(), headers=bearer(GIVEN))
        assert answer.status_code == 413
    except httpx.HTTPError:
        pass  # it was cut off in the middle
    assert sent < 50 * MAX_BODY


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"session":{"type":"realtime","instructions":"' + b"x" * MAX_BODY + b'"}}', 413),
        (b'{"session":{"type":"realtime","model":"' + b"m" * 10_000 + b'"}}', 400),
        (b'{"expires_after":{"seconds":1e400}}', 400),
        (b'{"expires_after":{"seconds":99999999999999999999999999}}', 400),
        (b"\xff\xfe{}", 400),
        (b"null", 400),
    ],
    ids=["deep lists", "deep objects", "long", "long model", "infinite", "huge", "not utf-8", "null"],
)
async def test_a_monstrous_body_is_refused_in_words(at: House, body: bytes, status: int):
    answer = await at.http.post("/v1/realtime/client_secrets", content=body, headers=bearer(GIVEN))
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


async def test_headers_without_end(at: House):
    for headers in ({"X-Long": "x" * (MAX_HEADER + 1)}, {f"X-{number}": "x" for number in range(200)}):
        assert (await at.http.get("/health", headers=headers)).status_code == 431


async def test_a_message_that_is_too_long_ends_its_own_session_alone(at: House):
    async with (
        connect(at.served.ws, additional_headers=bearer(GIVEN), max_size=None) as good,
        connect(at.served.ws, additional_headers=bearer(GIVEN), max_size=None) as bad,
    ):
        await event(good)
        await event(bad)
        with suppress(ConnectionClosed):  # it may not even be heard to its end
            await bad.send("x" * (MAX_MESSAGE + 1))
        await asyncio.wait_for(bad.wait_closed(), 20)
        assert bad.close_code == 1009
        await good.send("not json")
        assert (await event(good))["type"] == "error"


NONSENSE = ["", "[]", "null", '"x"', "[" * 50_000, '{"type": 7}', '{"type":"x","audio":']


async def test_an_event_of_nonsense_is_told_and_the_session_goes_on(at: House):
    async with connect(at.served.ws, additional_headers=bearer(GIVEN)) as socket:
        await event(socket)
        for text in NONSENSE:
            await socket.send(text)
            assert (await event(socket))["type"] == "error", text[:20]
        await socket.send('{"type": "response.cancel"}')
        line = await at.backend.next_opened()
        assert (await line.next_sent()).type == "response.cancel"
