"""Too many, too much, too long: each is refused with when to come again, and nothing hangs."""

import asyncio
from decimal import Decimal

import pytest
from websockets.asyncio.client import connect

from tests.attack.house import GIVEN, bearer, event, house, last_words
from vivavoce.access.limits import Allowance, Subject
from vivavoce.access.prices import Price, Prices
from vivavoce.protocol.frame import Frame
from vivavoce.sessions import upkeep
from vivavoce.sessions.upkeep import Lasting


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch):
    """What is charged is charged at once."""
    monkeypatch.setattr(upkeep, "CHARGE_SECONDS", 0.05)


async def test_minting_too_fast():
    async with house(allowances={"key": Allowance(mints=2), "user": Allowance(mints=1)}) as at:
        for key, most in ((GIVEN, 2), (at.token("ada"), 1)):
            for _ in range(most):
                assert (await at.mint(key)).status_code == 200
            over = await at.mint(key)
            assert (over.status_code, over.json()["error"]["code"]) == (429, "rate_limit_exceeded")
            assert over.json()["error"]["type"] == "rate_limit_error"
            assert 1 <= int(over.headers["retry-after"]) <= 60
        assert (await at.mint(at.token("eve"))).status_code == 200


async def test_a_page_cannot_get_round_its_limits_by_other_users_from_the_same_address():
    async with house(allowances={"address": Allowance(mints=2)}) as at:
        statuses = [(await at.mint(at.token(user))).status_code for user in ("ada", "eve", "mallory")]
        assert statuses == [200, 200, 429]
        assert (await at.mint(GIVEN)).status_code == 200  # an app's server speaks for many


async def test_one_address_is_not_another_by_saying_so():
    async with house(allowances={"address": Allowance(mints=1)}) as at:
        await at.mint(at.token("ada"))
        claimed = {**bearer(at.token("eve")), "X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
        assert (await at.http.post("/v1/realtime/client_secrets", json={}, headers=claimed)).status_code == 429


async def test_a_proxy_that_is_trusted_says_who_asks():
    async with house(["127.0.0.1"], allowances={"address": Allowance(mints=1)}) as at:
        statuses = []
        for address in ("203.0.113.9", "203.0.113.9", "203.0.113.10", "203.0.113.9, 203.0.113.11"):
            asked = {**bearer(at.token("eve")), "X-Forwarded-For": address}
            statuses.append((await at.http.post("/v1/realtime/client_secrets", json={}, headers=asked)).status_code)
        assert statuses == [200, 429, 200, 200]  # of several addresses the proxy's own word is the last


async def test_sessions_at_one_time_over_both_transports():
    async with house(allowances={"user": Allowance(sessions=2)}) as at:
        ada = at.token("ada")
        call = await at.place(ada)
        async with connect(at.served.ws, additional_headers=bearer(ada)) as socket:
            await event(socket)
            over = await at.place(ada)
            assert (over.status_code, over.json()["error"]["code"]) == (429, "rate_limit_exceeded")
            assert int(over.headers["retry-after"]) > 0
            async with connect(at.served.ws, additional_headers=bearer(ada)) as third:
                said, code = await last_words(third)
            assert (said["error"]["code"], code) == ("rate_limit_exceeded", 1013)
            assert (await at.place(at.token("eve"))).status_code == 201
        await at.http.post(f"{call.headers['location']}/hangup", headers=bearer(ada))
        async with connect(at.served.ws, additional_headers=bearer(ada)) as socket:
            assert (await event(socket))["type"] == "session.created"


async def test_the_minutes_of_a_day(hasty: None):
    async with house(allowances={"user": Allowance(minutes=1)}) as at:
        ada = at.token("ada")
        async with connect(at.served.ws, additional_headers=bearer(ada)) as socket:
            await event(socket)
            await at.served.service.limits.spend((Subject("user", "user:ada"),), seconds=60, micros=0)
            said, code = await last_words(socket)
        assert (said["error"]["code"], said["error"]["type"], code) == ("budget_exceeded", "insufficient_quota", 4000)
        over = await at.place(ada)
        assert over.status_code == 429
        assert int(over.headers["retry-after"]) > 3600
        assert "talking time" in over.json()["error"]["message"]


async def test_a_session_ends_at_its_longest():
    async with (
        house(lasting=Lasting(seconds=0.1)) as at,
        connect(at.served.ws, additional_headers=bearer(GIVEN)) as socket,
    ):
        said, code = await last_words(socket)
    assert (said["error"]["code"], code) == ("session_expired", 4000)


async def test_a_silent_session_is_hung_up():
    async with (
        house(lasting=Lasting(silence=0.1)) as at,
        connect(at.served.ws, additional_headers=bearer(GIVEN)) as socket,
    ):
        said, code = await last_words(socket)
    assert (said["error"]["code"], code) == ("session_idle", 4000)


# Share links -----------------------------------------------------------------------------------------


async def test_a_link_mints_for_its_agents_sessions_until_its_minutes_are_used(hasty: None):
    async with house() as at:
        token, id = await at.share(seconds=1.0, key="sk-the-owners-own-0123456789")
        key = await at.ephemeral(share=token)
        async with connect(at.served.ws, additional_headers=bearer(key)) as socket:
            assert (await event(socket))["type"] == "session.created"
            assert at.backend.requests[-1].upstream_key == "sk-the-owners-own-0123456789"
            said, code = await last_words(socket)
        assert (said["error"]["code"], code) == ("budget_exceeded", 4000)
        share = await at.store.shares.get(id)
        assert share is not None
        assert share.used_seconds == pytest.approx(1.0, abs=1.0)
        refused = await at.mint(share=token)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "share_exhausted")
        assert (await at.place(key)).status_code == 403


SPENT = {
    "type": "response.done",
    "event_id": "event_done",
    "response": {
        "id": "resp_1",
        "usage": {"input_tokens": 0, "output_tokens": 1000, "output_token_details": {"text_tokens": 1000}},
    },
}


async def test_a_link_past_its_money(hasty: None):
    prices = Prices({"gpt-realtime": Price(text_out=Decimal(10))})  # a cent for a thousand tokens
    async with house(prices=prices) as at:
        token, id = await at.share(dollars=0.015)
        key = await at.ephemeral(share=token)
        async with connect(at.served.ws, additional_headers=bearer(key)) as socket:
            await event(socket)
            line = await at.backend.next_opened()
            line.arrive(Frame("response.done", SPENT))
            assert (await event(socket))["type"] == "response.done"
            (live,) = at.served.service.registry._live.values()
            line.arrive(Frame("response.done", SPENT))
            said, code = await last_words(socket)
        assert (said["error"]["code"], code) == ("budget_exceeded", 4000)
        await asyncio.wait_for(live.gone.wait(), 5)
        share = await at.store.shares.get(id)
        assert share is not None
        assert share.used_dollars == pytest.approx(0.02)
        assert "money" in (await at.mint(share=token)).json()["error"]["message"]
        assert (await at.place(key)).status_code == 403


async def test_a_link_with_money_begins_nothing_that_has_no_known_price():
    async with house(prices=Prices({})) as at:
        token, _ = await at.share(dollars=1.0)
        answer = await at.place(await at.ephemeral(share=token))
        assert answer.json()["error"]["code"] == "price_unknown"
        assert at.backend.requests == []


async def test_two_visitors_share_one_budget(hasty: None):
    async with house() as at:
        token, _ = await at.share(seconds=1.0)
        keys = [await at.ephemeral(share=token) for _ in range(2)]
        async with (
            connect(at.served.ws, additional_headers=bearer(keys[0])) as one,
            connect(at.served.ws, additional_headers=bearer(keys[1])) as two,
        ):
            assert {(await last_words(socket))[0]["error"]["code"] for socket in (one, two)} == {"budget_exceeded"}


async def test_a_revoked_link_ends_its_sessions(hasty: None):
    async with house() as at:
        token, id = await at.share(seconds=600.0)
        async with connect(at.served.ws, additional_headers=bearer(await at.ephemeral(share=token))) as socket:
            await event(socket)
            await at.store.shares.revoke(id, at.clock())
            said, _ = await last_words(socket)
        assert "taken it back" in said["error"]["message"]
        assert (await at.mint(share=token)).status_code == 403


async def test_an_expired_link_and_its_keys():
    async with house() as at:
        token, _ = await at.share(seconds=600.0, expires_at=at.clock() + 60)
        key = await at.ephemeral(share=token)
        at.clock.ahead = 61
        assert (await at.mint(share=token)).status_code == 403
        assert (await at.place(key)).status_code == 401


@pytest.mark.parametrize("share", ["vvs_" + "a" * 32, "x", "' OR '1'='1", "s" * 5000])
async def test_a_forged_link(share: str):
    async with house() as at:
        answer = await at.mint(share=share)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "share_invalid")
