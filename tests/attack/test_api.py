"""Somebody else's sessions, forged pages, names of files that lead elsewhere."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.attack.house import GIVEN, House, bearer, house
from tests.support.past import past, recorded

ALICES = "user:alice"
ACTIONS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("PATCH", "", {"title": "Mine now"}),
    ("DELETE", "", None),
    ("GET", "/transcript", None),
    ("GET", "/recording", None),
    ("POST", "/resume", None),
]


@pytest.fixture
async def at(tmp_path: Path):
    async with house(files=tmp_path / "files") as at:
        await past(at.store, "sess_alice", ALICES)
        await recorded(at.store, "sess_alice", "a.ogg", b"OggS")
        yield at


@pytest.mark.parametrize(("method", "part", "body"), ACTIONS)
async def test_another_ones_session_is_not_there(at: House, method: str, part: str, body: Any):
    other, _ = await at.key("connect", "mint")
    for key in (at.token("mallory"), other):
        answer = await at.http.request(method, f"/api/sessions/sess_alice{part}", json=body, headers=bearer(key))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "session_not_found")
    mine = await at.http.get("/api/sessions/sess_alice", headers=bearer(at.token("alice")))
    assert mine.json()["title"] == "what time is it"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_ephemeral_keys_links_and_nobody_are_kept_out(at: House, method: str):
    share, _ = await at.share()
    ephemeral = (await at.mint(at.token("alice"))).json()["value"]
    for key, status in ((ephemeral, 403), (share, 401), ("", 401), ("vv_" + "a" * 32, 401)):
        for path in ("/api/sessions/sess_alice", "/api/sessions/sess_alice/recording"):
            assert (await at.http.request(method, path, headers=bearer(key))).status_code in (status, 405)
        assert (await at.http.get("/api/usage", headers=bearer(key))).status_code == status


async def test_share_links_are_for_those_who_manage(at: House):
    key, _ = await at.key("connect", "mint")
    for who in (key, at.token("alice")):
        assert (await at.http.get("/api/shares", headers=bearer(who))).status_code == 403
        assert (await at.http.post("/api/shares", json={"minutes": 1}, headers=bearer(who))).status_code == 403
        assert (await at.http.delete("/api/shares/share_1", headers=bearer(who))).status_code == 403


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "..", ".", "", "a.ogg/../../x", "\0", "a.ogg\0.txt"])
async def test_a_name_of_a_recording_leads_nowhere_else(at: House, tmp_path: Path, name: str):
    (tmp_path / "secret").write_text("hush")
    path = "/api/sessions/sess_alice/recording"
    answer = await at.http.get(path, params={"name": name}, headers=bearer(at.token("alice")))
    assert answer.status_code == (400 if "\0" in name else 404)
    for id in (name, f"../{name}", "sess_alice/.."):
        path = f"/api/sessions/{quote(id, safe='')}/recording"
        answer = await at.http.get(path, headers=bearer(GIVEN))
        assert answer.status_code in (400, 404)
        assert "hush" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 100}, {"limit": 10**30}, {"limit": "many"}, {"limit": -1}, {"after": "sess_nobody"},
        {"after": "x" * 10_000}, {"after": "' OR 1=1 --"}, {"search": "x" * 201}, {"search": "\0"},
        {"owner": "user:alice"},
    ],
)  # fmt: skip
async def test_pages_that_are_too_large_or_forged(at: House, query: dict[str, Any]):
    answer = await at.http.get("/api/sessions", params=query, headers=bearer(at.token("mallory")))
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_another_ones_session_is_no_page_either(at: House):
    answer = await at.http.get("/api/sessions", params={"after": "sess_alice"}, headers=bearer(at.token("mallory")))
    assert answer.status_code == 400


@pytest.mark.parametrize("words", ["%", "_", "\\", "'", '"; DROP TABLE sessions; --', "%' OR '1'='1", "\ufffd"])
async def test_a_search_is_for_words_alone(at: House, words: str):
    answer = await at.http.get("/api/sessions", params={"search": words}, headers=bearer(at.token("alice")))
    assert (answer.status_code, answer.json()["data"]) == (200, [])


async def test_titles_are_text(at: House):
    for title, status in (("<script>alert(1)</script>", 200), ("x" * 201, 400), ("", 400), (None, 400), (["x"], 400)):
        answer = await at.http.patch(
            "/api/sessions/sess_alice", json={"title": title}, headers=bearer(at.token("alice"))
        )
        assert answer.status_code == status
    answer = await at.http.get("/api/sessions/sess_alice", headers=bearer(at.token("alice")))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
