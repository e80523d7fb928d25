"""``vivavoce serve`` as a process: how it starts, what it says, how it leaves. An upstream answers: no model loads."""

import asyncio
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from tests.support.backends import ScriptedBackend
from tests.support.process import PATIENCE, serve
from tests.support.scripted_realtime import Stage, scripted
from vivavoce.cli.building import announcement
from vivavoce.cli.main import main
from vivavoce.cli.settings import load, specs
from vivavoce.client.realtime import connect
from vivavoce.protocol.frame import Closed, Frame

UPSTREAM = ("--backend", "upstream", "--upstream-url", "http://127.0.0.1:9/v1")


async def refusal(directory: Path, *options: str, **environ: str) -> tuple[int, str]:
    """How a server that does not start says so."""
    async with serve(directory, *options, **environ) as process:
        return await process.rest()


# Starting --------------------------------------------------------------------------------------------


async def test_it_says_where_to_click_and_what_answers(tmp_path: Path):
    async with serve(tmp_path, *UPSTREAM, "--port", "0", OPENAI_API_KEY="sk-secret-of-this-test") as process:
        address = await process.address()
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{address}/health")).json() == {"status": "ok"}
            assert "<voice-orb" in (await http.get(address)).text
        process.signal(signal.SIGTERM)
        status, rest = await process.rest()
    assert status == 0
    assert "Answers: " in rest
    assert "The key in OPENAI_API_KEY stays in this process" in rest
    assert "Ctrl-C stops it." in rest
    assert "sk-secret" not in process.said + rest


BUILTIN = {"backend": "builtin"}
LOCAL = {"backend": "upstream", "upstream_url": "http://127.0.0.1:9/v1", "model": "other"}


@pytest.mark.parametrize(
    ("options", "key", "said", "not_said"),
    [
        (BUILTIN, "", ["Answers: scripted, on this machine.", "set OPENAI_API_KEY"], "stays"),
        (
            BUILTIN,
            "sk-1",
            ["Answers: scripted", "the key in OPENAI_API_KEY instead: --backend upstream"],
            "start again",
        ),
        ({}, "sk-1", ["Answers: https://api.openai.com/v1, gpt-realtime.", "OPENAI_API_KEY stays"], "instead"),
        (LOCAL, "", ["Answers: http://127.0.0.1:9/v1, other."], "OPENAI_API_KEY"),
        (
            {"llm": "openai", "llm_url": "http://127.0.0.1:9/v1", "llm_model": "tiny"},
            "sk-1",
            ["Answers: scripted, on this machine.", "It thinks with tiny at http://127.0.0.1:9/v1."],
            "It hears",
        ),
    ],
    ids=["builtin", "builtin by choice", "openai", "another server", "a mind elsewhere"],
)
def test_what_it_announces(tmp_path: Path, options: dict[str, str], key: str, said: list[str], not_said: str):
    settings = load(options, directory=tmp_path, environ={"OPENAI_API_KEY": key})
    told = "\n".join(announcement(settings, ScriptedBackend(), "http://127.0.0.1:7171"))
    assert "http://127.0.0.1:7171" in told
    assert all(words in told for words in said)
    assert not_said not in told
    assert "sk-1" not in told


async def test_port_taken(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = await refusal(tmp_path, *UPSTREAM, "--port", str(port))
    assert status == 1
    assert f"Port {port} on 127.0.0.1 is taken" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        (["--host", "0.0.0.0"], {}, "nobody has been given a key yet"),
        ([], {"VIVAVOCE_HOST": "192.0.2.1"}, "Make a key first (vivavoce keys create"),
        ([], {"VIVAVOCE_API_KEYS": "short"}, "VIVAVOCE_API_KEYS has a key that is shorter than 16 characters"),
        ([], {"VIVAVOCE_JWT_SECRET": "short"}, "VIVAVOCE_JWT_SECRET is too short"),
        ([], {"VIVAVOCE_SECRET": "short"}, "VIVAVOCE_SECRET is too short"),
        (["--port", "x"], {}, "port 'x' is not a port"),
        (["--backend", "upstream"], {}, "set OPENAI_API_KEY"),
        (["--config", "gone.toml"], {}, "gone.toml cannot be read"),
    ],
)
def test_a_setting_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], environ: dict[str, str], words: str
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    refused = CliRunner().invoke(main, ["serve", *options], env={"VIVAVOCE_DATA_DIR": "data", **environ})
    assert refused.exit_code == 2
    assert isinstance(refused.exception, SystemExit)
    assert words in " ".join(refused.output.split())


async def test_https_with_a_certificate_of_its_own(tmp_path: Path):
    async with serve(tmp_path, *UPSTREAM, "--port", "0", "--https") as process:
        address = await process.address()
        assert address.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(tmp_path / "data" / "https-certificate.pem"))
        async with httpx.AsyncClient(verify=trusting) as http:
            assert (await http.get(f"{address}/health")).status_code == 200


async def test_a_certificate_that_is_none(tmp_path: Path):
    (tmp_path / "cert.pem").write_text("x")
    status, said = await refusal(tmp_path, *UPSTREAM, "--port", "0", "--cert", "cert.pem", "--key", "cert.pem")
    assert status == 1
    assert "cannot serve https" in said
    assert "Traceback" not in said


# Leaving ---------------------------------------------------------------------------------------------


def answered_by(upstream: str) -> tuple[str, ...]:
    return ("--backend", "upstream", "--upstream-url", upstream.replace("ws:", "http:").removesuffix("/realtime"))


async def greet(stage: Stage) -> None:
    await stage.send("session.created", session={"id": "sess_1"})
    await stage.gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_tells_clients_and_goes(tmp_path: Path, number: signal.Signals):
    async with scripted(greet) as upstream:
        async with serve(tmp_path, *answered_by(upstream), "--port", "0") as process:
            address = await process.address()
            async with connect(f"{address}/v1/realtime") as session:
                assert (await session.receive()).type == "session.created"
                process.signal(number)
                async with asyncio.timeout(PATIENCE):
                    with pytest.raises(Closed) as closed:
                        await session.receive()
            status, said = await process.rest()
    assert closed.value.code == 1001
    assert status == 0
    assert "Traceback" not in said


async def answering(stage: Stage) -> None:
    """It begins an answer and never ends it."""
    await stage.send("session.created", session={"id": "sess_1"})
    await stage.expect("response.create")
    await stage.send("response.created", response={"id": "resp_1", "status": "in_progress"})
    await stage.gone()


async def test_a_second_signal_does_not_wait_for_answers(tmp_path: Path):
    async with scripted(answering) as upstream:
        async with serve(tmp_path, *answered_by(upstream), "--port", "0", "--drain-seconds", "600") as process:
            address = await process.address()
            async with connect(f"{address}/v1/realtime") as session:
                await session.receive()
                await session.send(Frame("response.create", {"type": "response.create"}))
                assert (await session.receive()).type == "response.created"
                process.signal(signal.SIGINT)
                async with httpx.AsyncClient() as http:
                    await _until_leaving(http, address)
                process.signal(signal.SIGINT)
                status, said = await process.rest()
    assert status == 0
    assert "Traceback" not in said


async def _until_leaving(http: httpx.AsyncClient, address: str) -> None:
    """The server says that it takes no more sessions; it answers that while it waits for answers to end."""
    async with asyncio.timeout(PATIENCE):
        while (await http.get(f"{address}/ready")).status_code != 503:
            pass


# Help ------------------------------------------------------------------------------------------------


def test_help_shows_every_setting():
    told = CliRunner().invoke(main, ["serve", "--help"], terminal_width=110).output
    for name, spec in specs():
        assert f"--{spec.option or name.replace('_', '-')}" in told
    for section in ("Address:", "Who answers:", "The page:", "Running:"):
        assert section in told
    assert "default: 7171" in told
    assert "OPENAI_REALTIME_MODEL" in told


def test_help_imports_no_command():
    script = "import sys; from vivavoce.cli.main import main; main(['--help'], standalone_mode=False); "
    script += "sys.exit(bool({'vivavoce.cli.serve', 'numpy', 'starlette', 'aiohttp'} & set(sys.modules)))"
    assert os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-c", script) == 0
