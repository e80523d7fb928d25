"""``vivavoce keys`` and ``vivavoce share``, and the server that is closed by them."""

import re
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tests.support.process import serve
from vivavoce.access.sealing import Sealer
from vivavoce.cli.keeping import SECRET_FILE
from vivavoce.cli.main import main
from vivavoce.cli.whereabouts import local_address, noted
from vivavoce.store.database import in_directory
from vivavoce.store.store import open_store

UPSTREAM = ("--backend", "upstream", "--upstream-url", "http://127.0.0.1:9/v1", "--port", "0")
DAY = "[agents.guide]\ninstructions = 'Guide.'\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("VIVAVOCE_DATABASE_URL", "VIVAVOCE_SECRET"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*words: str, **environ: str) -> Result:
        command = [*words, "--data-dir", str(tmp_path / "data")]
        with ThreadPoolExecutor(1) as thread:  # it has an event loop of its own, also beside a test's
            return thread.submit(CliRunner().invoke, main, command, env=environ).result()

    return invoke


def told(result: Result, pattern: str) -> str:
    assert result.exit_code == 0, result.output
    found = re.search(pattern, result.output)
    assert found, result.output
    return found[0]


def test_a_key_is_shown_once_and_listed_without_it(run, tmp_path: Path):
    made = run("keys", "create", "--name", "my app", "--scope", "mint", "--expires", "30d")
    key = told(made, r"vv_[a-z2-7]{32}")
    id = told(made, r"key_[0-9a-f]{16}")
    listed = run("keys", "list")
    assert re.search(rf"{id}\s+good\s+mint\s+my app", listed.output)
    assert "used never, expires 20" in listed.output
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert key not in listed.output
    assert key.encode() not in kept
    assert b"my app" in kept


def test_a_key_is_revoked_once(run):
    id = told(run("keys", "create", "--name", "x"), r"key_[0-9a-f]{16}")
    assert "No key is left" in run("keys", "revoke", id).output
    again = run("keys", "revoke", id)
    assert again.exit_code == 1
    assert "no key" in again.output
    assert f"{id}  revoked" in run("keys", "list").output


def test_without_any_it_says_how(run):
    assert "vivavoce keys create" in run("keys", "list").output
    assert "vivavoce share create" in run("share", "list").output


@pytest.mark.parametrize("expires", ["yesterday", "2001-01-01", "0d"])
def test_a_time_that_is_none(run, expires: str):
    refused = run("keys", "create", "--name", "x", "--expires", expires)
    assert refused.exit_code == 2
    assert "vv_" not in refused.output


def test_a_link_leads_to_the_server_that_runs(run, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = local_address("0.0.0.0", server.getsockname()[1], https=False)
        with noted(tmp_path / "data", address):
            told(run("share", "create", "--minutes", "5"), rf"{address}/#share=")
        told(run("share", "create", "--minutes", "5"), "http://127.0.0.1:7171/#share=")
    (tmp_path / "data" / "address").write_text(address)  # of a server that was killed
    told(run("share", "create", "--minutes", "5"), "http://127.0.0.1:7171/#share=")


def test_a_link_opens_the_page_and_keeps_its_token_behind_the_fragment(run, tmp_path: Path):
    (tmp_path / "vivavoce.toml").write_text(DAY)
    words = ("--agent", "guide", "--minutes", "30", "--budget", "2.5", "--expires", "7d")
    made = run("share", "create", *words, "--public-url", "https://voice.example")
    told(made, r"https://voice\.example/#share=vvs_[a-z2-7]{32}\n")
    id = told(made, r"share_[0-9a-f]{16}")
    listed = run("share", "list").output
    assert f"{id}  good  agent guide" in listed
    assert "0.0 of 30 minutes, 0.0000 of 2.5 dollars" in listed
    assert "vvs_" not in listed
    assert "is revoked" in run("share", "revoke", id).output
    assert "taken it back" in run("share", "list").output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "needs an end"),
        (["--minutes", "0"], "--minutes"),
        (["--budget", "0"], "--budget"),
        (["--minutes", "1", "--agent", "nobody"], "no agent 'nobody'"),
        (["--minutes", "1", "--upstream-key-env", "NOT_SET"], "NOT_SET holds no key"),
    ],
)
def test_a_link_that_cannot_be(run, words: list[str], reason: str):
    refused = run("share", "create", *words)
    assert refused.exit_code == 2
    assert reason in refused.output


async def test_a_links_own_key_is_sealed(run, tmp_path: Path):
    made = run("share", "create", "--minutes", "5", "--upstream-key-env", "MY_KEY", MY_KEY="sk-the-owners-own")
    id = told(made, r"share_[0-9a-f]{16}")
    data = tmp_path / "data"
    secret = data / SECRET_FILE
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert b"sk-the-owners-own" not in b"".join(path.read_bytes() for path in data.iterdir())
    store = open_store(in_directory(data))
    share = await store.shares.get(id)
    store.close()
    assert share is not None
    assert share.sealed_key is not None
    sealer = Sealer(bytes.fromhex(secret.read_text()), bytes)
    assert sealer.open(share.sealed_key, id.encode()) == b"sk-the-owners-own"


def test_a_damaged_secret_is_named(run, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / SECRET_FILE).write_text("not hex")
    refused = run("share", "create", "--minutes", "5", "--upstream-key-env", "MY_KEY", MY_KEY="sk-1")
    assert refused.exit_code == 1
    assert "is damaged" in refused.output


# The server ------------------------------------------------------------------------------------------


async def mint(http: httpx.AsyncClient, address: str, key: str | None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return (await http.post(f"{address}/v1/realtime/client_secrets", json={}, headers=headers)).status_code


async def test_with_the_first_key_the_server_demands_one_while_it_runs(run, tmp_path: Path):
    async with serve(tmp_path, *UPSTREAM) as process, httpx.AsyncClient() as http:
        address = await process.address()
        assert await mint(http, address, None) == 200
        made = run("keys", "create", "--name", "x")
        assert await mint(http, address, None) == 401
        assert await mint(http, address, told(made, r"vv_\w+")) == 200
        run("keys", "revoke", told(made, r"key_\w+"))
        assert await mint(http, address, told(made, r"vv_\w+")) == 401
        assert await mint(http, address, None) == 401


async def test_beyond_this_machine_with_keys_alone(tmp_path: Path):
    key = "a-key-of-this-test-alone"
    async with serve(tmp_path, *UPSTREAM, "--host", "0.0.0.0", VIVAVOCE_API_KEYS=key) as process:
        said = await process.line(r"http://0\.0\.0\.0:(\d+) – for those who have a key")
        address = f"http://127.0.0.1:{said[1]}"
        async with httpx.AsyncClient() as http:
            assert await mint(http, address, None) == 401
            assert await mint(http, address, key) == 200
            by_name = await http.get(f"{address}/health", headers={"Host": "evil.example"})
            by_address = await http.get(f"{address}/health", headers={"Host": "192.0.2.7"})
            assert (by_name.status_code, by_address.status_code) == (403, 200)
        assert key not in process.said
