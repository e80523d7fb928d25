"""``vivavoce sessions``: what is shown, taken away and deleted."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.store.test_sessions import message, session
from vivavoce.cli.main import main
from vivavoce.store.database import in_directory
from vivavoce.store.responses import Response
from vivavoce.store.store import RECORDINGS, open_store
from vivavoce.store.writing import Batch

NOW = datetime.now(UTC)
YESTERDAY = (NOW - timedelta(days=1)).timestamp()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIVAVOCE_DATABASE_URL", raising=False)
    asyncio.run(_talked(tmp_path / "data"))

    def invoke(*words: str, answer: str = "") -> Result:
        command = ["sessions", *words, "--data-dir", str(tmp_path / "data")]
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(CliRunner().invoke, main, command, input=answer).result()

    return invoke


async def _talked(directory: Path) -> None:
    store = open_store(in_directory(directory), directory / RECORDINGS)
    for number, (owner, words) in enumerate([("user:alice", "Where is the night train?"), ("key:1", "Hello")]):
        id = f"sess_{number}"
        used = {"input_tokens": 12, "output_tokens": 34}
        paid = Response(id="resp_1", model="m", ended_at=YESTERDAY, usage=used, usd=Decimal("0.25"))
        free = Response(id="resp_2", model="unknown", ended_at=YESTERDAY, usage=used, usd=None)
        batch = Batch(
            session_id=id, owner=owner, now=YESTERDAY, change={"title": words},
            items=[message("u", words, said_at=YESTERDAY)],
            begun=session(id, owner=owner, started_at=YESTERDAY + number, call_id=f"rtc_{number}", agent="blue"),
            responses=[paid, free][: number + 1],
        )  # fmt: skip
        await store.ledger.write(batch)
    store.files.make("sess_0", "one.ogg").write_bytes(b"OggS")
    store.close()


def test_they_are_listed_and_found(run):
    listed = run("list").output
    assert "sess_1" in listed
    assert "user:alice  agent blue  $0.25\n    Where is the night train?" in listed
    assert "$0.25 and 1 of unknown price" in listed
    assert "sess_1" not in run("list", "--search", "NIGHT").output
    assert "sess_0" not in run("list", "--owner", "key:1").output
    assert "no such sessions" in run("list", "--search", "day").output


def test_one_is_shown_by_either_name(run):
    for id in ("sess_0", "rtc_0"):
        shown = run("show", id).output
        assert "User: Where is the night train?" in shown
        assert "user:alice, 1 answers, $0.25" in shown
    missing = run("show", "sess_9")
    assert (missing.exit_code, "no session 'sess_9'" in missing.output) == (1, True)


def test_one_is_taken_away(run, tmp_path: Path):
    assert json.loads(run("export", "sess_0", "--format", "json").output)["usd"] == "0.25"
    assert run("export", "sess_0", "--format", "webvtt", "--output", "x.vtt").output == "x.vtt is written.\n"
    assert (tmp_path / "x.vtt").read_text().startswith("WEBVTT\n")
    assert "cannot be written" in run("export", "sess_0", "--output", "/proc/nowhere").output


def test_one_persons_data_are_deleted_after_asking(run, tmp_path: Path):
    recording = tmp_path / "data" / RECORDINGS / "sess_0"
    assert "Aborted" in run("delete", "--owner", "user:alice", answer="n\n").output
    assert recording.exists()
    assert "1 session deleted." in run("delete", "--owner", "user:alice", answer="y\n").output
    assert not recording.exists()
    assert "alice" not in run("list").output
    assert "deleted" in run("usage").output
    assert b"night train" not in (tmp_path / "data" / "vivavoce.sqlite3").read_bytes()
    assert "1 session deleted." in run("delete", "sess_1", "sess_9", "--yes").output
    assert run("delete").exit_code == 2
    assert run("delete", "sess_1", "--owner", "x").exit_code == 2


def test_yesterdays_cost(run):
    told = run("usage", "--day", "yesterday").output
    day = (NOW - timedelta(days=1)).date().isoformat()
    assert f"{day}  user:alice  -  m: 1 requests, 12 tokens in, 34 out, $0.25" in told
    assert "unknown: 1 requests, 12 tokens in, 34 out, price unknown" in told
    assert "Together: $0.5, and 1 requests whose price is not known here" in told
    assert "Together: $0.25\n" in run("usage", "--owner", "user:alice").output
    assert run("usage", "--day", "today").output == "Nothing was used.\n"
    assert "is no day" in run("usage", "--day", "tomorrow").output
