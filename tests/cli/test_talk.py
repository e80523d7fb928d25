"""``vivavoce talk`` against a scripted server: what it prints and writes, and what it says when things go wrong."""

import asyncio
import base64
import re
import socket
from http import HTTPStatus
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.scripted_realtime import Stage, refusing, scripted
from tests.support.speech import FOLDER
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.cli.main import main
from vivavoce.cli.talk import report
from vivavoce.client.turn import Turn

QUESTION = FOLDER / "time_in_london.wav"
ANSWER = bytes(range(256)) * 100


async def talk(*args: str | Path) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["talk", *map(str, args)])


async def greet(stage: Stage) -> dict[str, object]:
    """The beginning of each session; what the client configured."""
    await stage.send("session.created", session={})
    update = await stage.expect("session.update")
    await stage.send("session.updated", session={})
    return dict(update["session"])


async def answer(stage: Stage) -> None:
    await stage.send("response.created", response={"id": "resp_1"})
    await stage.send("response.output_audio_transcript.delta", delta="It is noon.")
    await stage.send("response.output_audio.delta", delta=base64.b64encode(ANSWER).decode())
    await stage.send("response.done", response={"status": "completed"})


async def a_good_server(stage: Stage) -> None:
    await greet(stage)
    heard = b""
    await stage.expect("input_audio_buffer.append")
    await stage.send("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=0)
    while heard[-24_000:] != bytes(24_000):  # half a second of silence
        heard += base64.b64decode((await stage.expect("input_audio_buffer.append"))["audio"])
    await stage.send("input_audio_buffer.speech_stopped", item_id="item_1", audio_end_ms=2000)
    await stage.send("input_audio_buffer.committed", item_id="item_1")
    await stage.send("conversation.item.input_audio_transcription.completed", transcript="what time is it in london")
    await answer(stage)


async def test_a_recorded_question(tmp_path: Path):
    async with scripted(a_good_server) as url:
        result = await talk("--url", url, "--wav", QUESTION, "--out", tmp_path / "answer.wav")
    assert result.exit_code == 0, result.output
    assert "You:    what time is it in london" in result.output
    assert "Answer: It is noon." in result.output
    assert re.search(r"\+ *\d+ ms +\d+ ms  first audio", result.output)
    assert read_wav(tmp_path / "answer.wav") == (ANSWER, 24_000)


async def test_a_typed_question(tmp_path: Path):
    async def script(stage: Stage) -> None:
        assert (await greet(stage))["audio"] == {
            "input": {"transcription": {"model": "gpt-4o-mini-transcribe"}},
            "output": {"voice": "cedar"},
        }
        await stage.expect("conversation.item.create")
        await stage.expect("response.create")
        await answer(stage)

    async with scripted(script) as url:
        result = await talk("--url", url, "--text", "What time is it?", "--voice", "cedar")
    assert result.exit_code == 0, result.output
    assert "You:    What time is it?" in result.output
    assert "since question sent" in result.output


def test_the_timings_add_up():
    steps = {"silence noticed": 10.5004, "answer begun": 10.5107, "first audio": 10.7298, "answer complete": 11.25}
    rows = [line.split() for line in report(Turn(asked_at=10.0, steps=steps))[4:]]
    took, totals = [int(row[0]) for row in rows], [int(row[2]) for row in rows]
    assert totals == [500, 511, 730, 1250]
    assert [sum(took[: n + 1]) for n in range(len(took))] == totals


def test_where_the_server_says_the_time_went_adds_up_to_what_was_heard():
    budget = {"stages": {"decided": 230, "recognised": 0, "first_token": 12, "first_packet": 1}, "total": 243}
    turn = Turn(asked_at=10.0, steps={"first audio": 10.25}, budget=budget)
    rows = report(turn)[report(turn).index("of which") + 1 :]
    added = [int(row.split()[0]) for row in rows]
    assert added == [230, 0, 12, 1, 7, 250]
    assert rows[-1].endswith("from the end of speech to the first audio")


async def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = await talk("--url", f"ws://127.0.0.1:{port}/v1/realtime", "--text", "x")
    assert result.exit_code == 1
    assert f"Nothing answers at ws://127.0.0.1:{port}" in result.output
    assert "vivavoce serve" in result.output


@pytest.mark.parametrize("given", [True, False])
async def test_a_refused_key_is_said_and_not_repeated(monkeypatch: pytest.MonkeyPatch, given: bool):
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    async with refusing(HTTPStatus.UNAUTHORIZED, b'{"error": {"message": "Incorrect API key provided."}}') as url:
        result = await talk("--url", url, "--text", "x", *(("--key-env", "SOME_KEY") if given else ()))
    assert result.exit_code == 1
    assert "Incorrect API key provided." in result.output
    assert ("Is the key right?" if given else "--key-env") in result.output
    assert "sk-secret" not in result.output


async def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_KEY", "sk-secret")

    async def script(stage: Stage) -> None:
        assert stage.headers["Authorization"] == "Bearer sk-secret"
        await stage.close(1001, "enough")

    async with scripted(script) as url:
        result = await talk("--url", url, "--text", "x", "--key-env", "SOME_KEY")
    assert result.exit_code == 1
    assert "ended the session (1001): enough" in result.output


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--wav", str(QUESTION), "--text", "x"], 2, "not both"),
        (["--out", "x.wav"], 2, "--out needs"),
        (["--wav", "/nowhere.wav"], 2, "does not exist"),
        (["--wav", __file__], 1, "not a PCM WAV file"),
        (["--text", "x", "--key-env", "NO_SUCH_VARIABLE"], 1, "NO_SUCH_VARIABLE is not set"),
        (["--text", "x", "--url", "127.0.0.1"], 1, "not a ws:// or wss:// address"),
    ],
)
async def test_mistakes(options: list[str], code: int, words: str):
    result = await talk(*options)
    assert result.exit_code == code
    assert words in result.output


async def test_a_key_is_not_sent_unencrypted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    result = await talk("--url", "ws://voice.example/v1/realtime", "--text", "x", "--key-env", "SOME_KEY")
    assert result.exit_code == 1
    assert "unencrypted" in result.output


async def test_a_silent_recording(tmp_path: Path):
    write_wav(tmp_path / "silent.wav", bytes(48_000), 24_000)
    async with scripted(greet) as url:
        result = await talk("--url", url, "--wav", tmp_path / "silent.wav")
    assert result.exit_code == 1
    assert "The recording is silent." in result.output
