"""Calls from behind one router to a server behind another (``nat.sh``)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("nat.sh")


def called(*names: str) -> dict[str, str]:
    """What the caller heard each way. Skips where this machine lets nobody make network namespaces."""
    missing = [tool for tool in ("unshare", "ip", "nft") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    inside = ["unshare", "-rnmpf", "--kill-child"]
    if subprocess.run(
        [*inside, "sh", "-c", "mount -t tmpfs none /run && nft list ruleset"], capture_output=True
    ).returncode:
        pytest.skip("network namespaces are not permitted here")
    command = [*inside, "sh", str(SCRIPT), sys.executable, *names]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, stdin=subprocess.DEVNULL)
    heard = dict(line.split(": ", 1) for line in run.stdout.splitlines())
    assert heard.keys() == set(names), run.stderr
    return heard


def test_a_server_behind_a_router_is_reached_by_its_public_address_or_by_a_relay():
    """By a port each, or one that all share; with the address left unknown nothing arrives. One test, since setting
    it all up takes most of its time."""
    relayed = ["relayed"] if shutil.which("turnserver") else []  # of coturn; nothing is forwarded then
    heard = called("range", "shared", "unknown", *relayed)
    assert heard.pop("unknown") == "nothing"
    assert set(heard.values()) == {"session.created and sound"}
