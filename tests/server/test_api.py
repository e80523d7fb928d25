"""/api: sessions of before, what they cost, agents, voices, models, share links."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.attack.house import GIVEN, House, bearer, event, house
from tests.support.agents import agent
from tests.support.past import BEGAN, past, recorded, used
from vivavoce.access.agents import Agents

OWNER = "user:alice"
DAY = 86_400


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[House]:
    async with house(files=tmp_path, agents=Agents({"blue": agent()}), voices=("marin", "cedar"), voice="cedar") as at:
        yield at


async def get(at: House, path: str, key: str = GIVEN, **query: Any) -> httpx.Response:
    return await at.http.get(path, params=query, headers=bearer(key))


async def ids(at: House, key: str = GIVEN, **query: Any) -> list[str]:
    answer = await get(at, "/api/sessions", key, **query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


async def test_sessions_are_listed_the_newest_first_a_page_at_a_time(at: House):
    for number in range(5):
        await past(at.store, f"sess_{number}", started_at=BEGAN + number)
    seen: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        page = (await get(at, "/api/sessions", limit=2, **after)).json()
        seen.append([each["id"] for each in page["data"]])
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    assert seen == [["sess_4", "sess_3"], ["sess_2", "sess_1"], ["sess_0"]]
    assert (page["data"][0]["title"], page["data"][0]["usd"], page["data"][0]["live"]) == (
        "what time is it",
        "0",
        False,
    )


async def test_they_are_searched_by_what_was_said(at: House):
    await past(at.store, "sess_1", words="The weather in Paris", title="A title")
    await past(at.store, "sess_2", words="100% sure")
    assert await ids(at, search="paris") == ["sess_1"]
    assert await ids(at, search="A TITLE") == ["sess_1"]
    assert await ids(at, search="100%") == ["sess_2"]
    assert await ids(at, search="noon") == ["sess_2", "sess_1"]
    assert await ids(at, search="%") == ["sess_2"]
    assert await ids(at, search="_") == []


async def test_each_sees_its_own_and_who_manages_sees_all(at: House):
    await past(at.store, "sess_1", OWNER)
    key, id = await at.key("connect")
    await past(at.store, "sess_2", f"key:{id}")
    assert await ids(at, at.token("alice")) == ["sess_1"]
    assert await ids(at, key) == ["sess_2"]
    assert sorted(await ids(at)) == ["sess_1", "sess_2"]


async def test_one_is_read_renamed_and_deleted_with_its_recording(at: House, tmp_path: Path):
    await past(at.store, "sess_1", OWNER, call_id="rtc_1")
    await recorded(at.store, "sess_1", "a.ogg", b"OggS")
    key = at.token("alice")
    told = (await get(at, "/api/sessions/rtc_1", key)).json()
    assert (told["id"], told["recordings"][0]["name"]) == ("sess_1", "a.ogg")
    changed = await at.http.patch("/api/sessions/sess_1", json={"title": "Noon"}, headers=bearer(key))
    assert changed.json()["title"] == (await get(at, "/api/sessions/sess_1", key)).json()["title"] == "Noon"
    gone = await at.http.delete("/api/sessions/sess_1", headers=bearer(key))
    assert gone.json() == {"id": "sess_1", "deleted": True}
    assert (await get(at, "/api/sessions/sess_1", key)).json()["error"]["code"] == "session_not_found"
    assert not os.listdir(tmp_path)


async def test_a_transcript_in_three_shapes(at: House):
    await past(at.store, "sess_1")
    path = "/api/sessions/sess_1/transcript"
    told = (await get(at, path)).json()
    assert [item["words"] for item in told["items"]] == ["what time is it", "It is noon."]
    text = await get(at, path, format="text")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "[00:00:03] Assistant: It is noon." in text.text
    captions = await get(at, path, format="webvtt")
    assert captions.headers["content-type"] == "text/vtt; charset=utf-8"
    assert "00:00:03.000 --> 00:00:04.500\n<v Assistant>It is noon." in captions.text
    await recorded(at.store, "sess_1", "a.ogg", b"OggS")  # begins half a second after the session
    assert "00:00:02.500 --> 00:00:04.000\n<v Assistant>It is noon." in (await get(at, path, format="webvtt")).text
    assert (await get(at, path, format="pdf")).json()["error"]["param"] == "format"


async def test_a_recording_whole_and_in_ranges(at: House):
    await past(at.store, "sess_1")
    path = "/api/sessions/sess_1/recording"
    assert (await get(at, path)).json()["error"]["code"] == "recording_not_found"
    await recorded(at.store, "sess_1", "a.ogg", b"0123456789")
    whole = await get(at, path)
    assert (whole.content, whole.headers["content-type"]) == (b"0123456789", "audio/ogg")
    part = await at.http.get(path, headers={**bearer(GIVEN), "Range": "bytes=2-5"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"2345", "bytes 2-5/10")
    await recorded(at.store, "sess_1", "b.webm", b"newer")
    assert (await get(at, path, name="a.ogg")).content == b"0123456789"
    at.store.files.path("sess_1", "a.ogg").unlink()
    assert (await get(at, path, name="a.ogg")).status_code == 404


async def test_an_old_session_goes_on_by_a_token(at: House):
    await past(at.store, "sess_1", OWNER)
    answer = await at.http.post("/api/sessions/sess_1/resume", headers=bearer(at.token("alice")))
    token = answer.json()["token"]
    headers = {**bearer(at.token("alice")), "X-Vivavoce-Resume": token}
    async with connect(at.served.ws, additional_headers=headers) as socket:
        assert (await event(socket))["type"] == "session.created"
        assert at.served.service.registry.records() == {"sess_1"}
        again = await at.http.post("/api/sessions/sess_1/resume", headers=bearer(at.token("alice")))
        assert again.json()["error"]["code"] == "session_is_live"
        assert (await get(at, "/api/sessions/sess_1")).json()["live"]
    await past(at.store, "sess_2", OWNER, kept="off")
    nothing = await at.http.post("/api/sessions/sess_2/resume", headers=bearer(at.token("alice")))
    assert nothing.json()["error"]["code"] == "nothing_kept"


async def test_usage_by_day_agent_key_and_model(at: House):
    now = at.clock()
    for owner, ago, who in ((OWNER, 0, "blue"), (OWNER, 1, None), ("user:bob", 1, "blue"), ("user:bob", 30, None)):
        await used(at.store, owner, at=now - ago * DAY, agent=who)
    by_day = (await get(at, "/api/usage")).json()
    assert [(each["requests"], each["usd"]) for each in by_day["data"]] == [(1, "0.01"), (2, "0.02")]
    assert (by_day["total"]["usd"], by_day["total"]["text_out"]) == ("0.03", 18)
    by_key = (await get(at, "/api/usage", by="key")).json()["data"]
    assert {each["name"]: each["usd"] for each in by_key} == {OWNER: "0.02", "user:bob": "0.01"}
    by_agent = (await get(at, "/api/usage", at.token("bob"), by="agent")).json()["data"]
    assert {each["name"]: each["requests"] for each in by_agent} == {"blue": 1}
    long_ago = {"from": "2020-01-01", "to": "2020-01-02", "by": "model"}
    assert (await get(at, "/api/usage", **long_ago)).json()["data"] == []
    for wrong in ({"from": "yesterday"}, {"from": "2020-01-02", "to": "2020-01-01"}, {"by": "hour"}, {"form": "x"}):
        assert (await get(at, "/api/usage", **wrong)).status_code == 400


async def test_agents_voices_and_models(at: House):
    agents = (await get(at, "/api/agents")).json()
    assert ([each["name"] for each in agents["data"]], agents["default"]) == (["blue"], None)
    assert "swordfish" not in str(agents)
    voices = (await get(at, "/api/voices")).json()
    assert voices == {"data": [{"name": "marin"}, {"name": "cedar"}], "default": "cedar"}
    models = (await get(at, "/api/models")).json()
    assert models == (await get(at, "/v1/models")).json()


async def test_a_share_link_is_made_shown_and_revoked(at: House):
    wanted = {"agent": "blue", "minutes": 30, "budget_usd": 2, "expires_in": 600}
    made = (await at.http.post("/api/shares", json=wanted, headers=bearer(GIVEN))).json()
    page, _, token = made["link"].partition("/#share=")
    assert page == at.served.http
    assert (await at.mint(None, share=token)).status_code == 200
    (shown,) = (await get(at, "/api/shares")).json()["data"]
    assert (shown["state"], shown["minutes"], shown["agent"]) == ("good", 30, "blue")
    assert token not in str(shown)
    for status in (200, 404):
        answer = await at.http.delete(f"/api/shares/{made['id']}", headers=bearer(GIVEN))
        assert answer.status_code == status
    assert (await at.mint(None, share=token)).status_code == 403
    for wrong in ({}, {"minutes": 0}, {"minutes": 1, "agent": "nobody"}, {"minutes": 1, "for": "ever"}):
        assert (await at.http.post("/api/shares", json=wrong, headers=bearer(GIVEN))).status_code == 400


async def test_a_listed_site_may_rename_and_delete_and_another_may_not():
    async with house(allow_origins=("https://app.example",)) as at:
        for origin, status in (("https://app.example", 200), ("https://evil.example", 403)):
            for method in ("PATCH", "DELETE"):
                asked = {"Origin": origin, "Access-Control-Request-Method": method}
                answer = await at.http.options("/api/sessions/sess_1", headers=asked)
                assert answer.status_code == status
