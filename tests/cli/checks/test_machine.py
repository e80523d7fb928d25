"""What is found out about this machine, with the trouble really made."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.backends import ScriptedBackend
from tests.support.serving import serving
from vivavoce.cli.checks import machine
from vivavoce.cli.settings import Settings

LOCAL = "127.0.0.1"


def test_a_port_is_free_or_taken():
    with closing(socket.create_server((LOCAL, 0))) as taken:
        settings = Settings(port=taken.getsockname()[1])
        found = machine.port(settings)
        assert found.level == "fail"
        assert "--port" in found.mend
    assert machine.port(settings).level == "ok"


async def test_a_port_that_a_vivavoce_has_is_no_trouble():
    async with serving(ScriptedBackend()) as server:
        found = await asyncio.to_thread(machine.port, Settings(port=server.port))
    assert (found.level, "running" in found.says) == ("ok", True)


def test_datagrams_arrive_here_and_not_at_an_address_that_is_not_ours():
    assert machine.udp(LOCAL).level == "ok"
    found = machine.udp("192.0.2.77")
    assert (found.level, "websocket" in found.mend) == ("fail", True)


@pytest.mark.parametrize(
    ("settings", "level", "mend"),
    [
        (Settings(), "ok", ""),
        (Settings(host="0.0.0.0"), "warn", "--https"),
        (Settings(host="0.0.0.0", https=True), "warn", "--cert"),
        (Settings(host="0.0.0.0", https=True, cert=Path("c.pem"), key=Path("k.pem")), "ok", ""),
    ],
)
def test_microphones_on_other_devices_need_https(settings, level, mend):
    found = machine.https(settings)
    assert found.level == level
    assert mend in found.mend


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, "ok"),
        ({"HTTP_PROXY": ""}, "ok"),
        ({"HTTPS_PROXY": "http://p:3128"}, "warn"),
        ({"http_proxy": "http://p:3128", "no_proxy": "localhost, 127.0.0.1"}, "ok"),
        ({"ALL_PROXY": "socks5://p", "NO_PROXY": "*"}, "ok"),
        ({"HTTP_PROXY": "http://user:hunter2@p", "NO_PROXY": "other.example"}, "warn"),
    ],
)
def test_a_proxy_for_everything_is_warned_of(environ, level):
    found = machine.proxies(environ)
    assert found.level == level
    assert "hunter2" not in found.says


def test_a_data_directory_that_cannot_be_written(tmp_path):
    assert machine.data_directory(tmp_path / "not" / "yet").level == "ok"
    assert machine.data_directory(Path("/proc/vivavoce")).level == "fail"


def test_a_relay_needs_its_secret():
    assert machine.relays(Settings()) is None
    assert machine.relays(Settings(turn=("turn:t.example",))).level == "fail"  # type: ignore[union-attr]
    found = machine.relays(Settings(turn=("turn:t.example",), turn_secret="hunter2"))
    assert found is not None
    assert (found.level, "hunter2" in found.says) == ("ok", False)
