"""Keys that are forged, expired, revoked or somebody else's."""

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.attack.house import CALLS, GIVEN, House, bearer, event, house, last_words
from vivavoce.sessions import upkeep


@pytest.fixture
async def at():
    async with house() as at:
        yield at


async def knock(at: House, key: str | None, query: str = "") -> int:
    """How the WebSocket's handshake is answered."""
    try:
        async with connect(at.served.ws + query, additional_headers=bearer(key)) as socket:
            await event(socket)
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


FORGED = [
    "ek_" + "a" * 32,
    "ek_",
    "ek_' OR '1'='1",
    "vv_" + "a" * 32,
    "vvs_" + "a" * 32,
    "sk-anything",
    GIVEN[:-1],
    GIVEN + "x",
    GIVEN.upper(),
    jwt.encode({"sub": "mallory", "exp": 9_999_999_999}, "not the secret of the app, though as long", "HS256"),
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5IiwiZXhwIjo5OTk5OTk5OTk5fQ.",
    "k" * 8000,
]


@pytest.mark.parametrize("key", [None, *FORGED], ids=lambda key: str(key)[:12])
async def test_a_forged_key_opens_nothing(at: House, key: str | None):
    assert (await at.mint(key)).status_code == 401
    assert (await at.place(key)).status_code == 401
    assert await knock(at, key) == 401
    assert at.backend.requests == []


async def test_a_key_in_a_subprotocol_is_judged_as_any(at: House):
    def offered(key: str) -> list[Subprotocol]:
        return [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{key}")]

    with pytest.raises(InvalidStatus) as refused:
        await connect(at.served.ws, subprotocols=offered("ek_" + "a" * 32))
    assert refused.value.response.status_code == 401
    async with connect(at.served.ws, subprotocols=offered(await at.ephemeral(GIVEN))) as socket:
        assert socket.subprotocol == "realtime"


async def test_an_expired_ephemeral_key_opens_nothing(at: House):
    key = await at.ephemeral(GIVEN, expires_after={"seconds": 10})
    assert await knock(at, key) == 101
    at.clock.ahead = 10
    assert await knock(at, key) == 401
    assert (await at.place(key)).status_code == 401


async def test_an_ephemeral_key_dies_with_its_parent_and_ends_no_later(at: House):
    parent, id = await at.key()
    key = await at.ephemeral(parent)
    assert await knock(at, key) == 101
    await at.store.keys.revoke(id, at.clock())
    for dead in (parent, key):
        assert await knock(at, dead) == 401
    brief, _ = await at.key(expires_at=at.clock() + 5)
    answer = await at.mint(brief)
    assert answer.json()["expires_at"] <= at.clock() + 5


async def test_a_revoked_key_ends_the_sessions_that_go_back_to_it(at: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upkeep, "CHARGE_SECONDS", 0.05)
    parent, id = await at.key()
    async with connect(at.served.ws, additional_headers=bearer(await at.ephemeral(parent))) as socket:
        await event(socket)
        await at.store.keys.revoke(id, at.clock())
        said, code = await last_words(socket)
    assert (said["type"], code) == ("error", 4000)
    assert "revoked" in said["error"]["message"]


async def test_an_ephemeral_key_mints_and_controls_nothing(at: House):
    key = await at.ephemeral(GIVEN)
    placed = await at.place(key)
    location = placed.headers["location"]
    assert (await at.mint(key)).status_code == 403
    assert (await at.http.post(f"{location}/hangup", headers=bearer(key))).status_code == 403
    assert await knock(at, key, f"?call_id={location.rpartition('/')[2]}") == 404


@pytest.mark.parametrize("scopes", [("connect",), ("mint",)])
async def test_a_key_does_what_it_is_for(at: House, scopes):
    key, _ = await at.key(*scopes)
    assert (await at.mint(key)).status_code == (200 if "mint" in scopes else 403)
    assert (await at.place(key)).status_code == (201 if "connect" in scopes else 403)


# Somebody else's call --------------------------------------------------------------------------------


async def test_another_owners_call_cannot_even_be_told_from_none(at: House):
    owner, _ = await at.key("connect", "mint")
    mallory, _ = await at.key("connect", "mint")
    call = (await at.place(owner)).headers["location"].rpartition("/")[2]
    for stranger in (mallory, at.token("mallory")):
        for verb in ("hangup", "accept", "reject", "refer"):
            body = {"target_uri": "tel:+1"} if verb == "refer" else {"type": "realtime"} if verb == "accept" else {}
            mine = await at.http.post(f"{CALLS}/{call}/{verb}", headers=bearer(stranger), json=body)
            none = await at.http.post(f"{CALLS}/rtc_{'0' * 32}/{verb}", headers=bearer(stranger), json=body)
            assert (mine.status_code, mine.json()) == (none.status_code, none.json())
            assert mine.status_code == 404
        assert await knock(at, stranger, f"?call_id={call}") == 404
    assert len(at.served.service.registry) == 1
    assert await knock(at, owner, f"?call_id={call}") == 101
    assert (await at.http.post(f"{CALLS}/{call}/hangup", headers=bearer(owner))).status_code == 200


async def test_a_user_controls_calls_of_their_own_alone(at: House):
    call = (await at.place(at.token("ada"))).headers["location"].rpartition("/")[2]
    assert (await at.http.post(f"{CALLS}/{call}/hangup", headers=bearer(at.token("eve")))).status_code == 404
    assert (await at.http.post(f"{CALLS}/{call}/hangup", headers=bearer(at.token("ada")))).status_code == 200


async def test_who_manages_controls_every_call(at: House):
    call = (await at.place(at.token("ada"))).headers["location"].rpartition("/")[2]
    assert (await at.http.post(f"{CALLS}/{call}/hangup", headers=bearer(GIVEN))).status_code == 200


@pytest.mark.parametrize("id", ["..%2f..%2fhealth", "%00", "rtc_' OR 1=1", "rtc_" + "a" * 4000])
async def test_a_strange_call_id_is_none(at: House, id: str):
    answer = await at.http.post(f"{CALLS}/{id}/hangup", headers=bearer(GIVEN))
    assert answer.status_code == 404


# A user's own upstream key ---------------------------------------------------------------------------


async def test_a_users_own_key_reaches_the_backend_and_nobody_else(at: House):
    own = "sk-user-of-this-test-0123456789"
    await knock(at, await at.ephemeral(GIVEN, apiKeys={"openai": own}))
    assert at.backend.requests[-1].upstream_key == own
    async with connect(at.served.ws, additional_headers={**bearer(GIVEN), "X-Vivavoce-Upstream-Key": own}) as socket:
        assert own not in str(await event(socket))
    assert at.backend.requests[-1].upstream_key == own
    rows = await at.store.database.run(lambda it: repr(it.exec_driver_sql("SELECT * FROM grants").all()))
    assert own not in rows
    await knock(at, GIVEN)
    assert at.backend.requests[-1].upstream_key is None


@pytest.mark.parametrize("own", ["two words", "line\nbreak: x", "k" * 513, "schlüssel"])
async def test_an_upstream_key_that_cannot_be_one_is_refused_and_not_repeated(at: House, own: str):
    answer = await at.mint(GIVEN, apiKeys={"openai": own})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "apiKeys.openai")
    assert own not in answer.text


async def test_an_upstream_key_is_no_way_in(at: House):
    own = {"X-Vivavoce-Upstream-Key": "sk-user-of-this-test-0123456789"}
    assert (await at.http.post("/v1/realtime/client_secrets", json={}, headers=own)).status_code == 401
    assert (await at.mint(None, apiKeys={"openai": "sk-user"})).status_code == 401
