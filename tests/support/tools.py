"""The programs of others that tests drive: Chromium, Node, Redis, PostgreSQL, wherever this machine has them."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["NODE_AT_LEAST", "chromium", "node", "node_in", "postgres_bin", "redis_server"]

NODE_AT_LEAST = 20
"""What web/package.json asks for."""

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"
)


@cache
def chromium() -> str | None:
    """The path of one that runs: ``VIVAVOCE_CHROMIUM``, the machine's own, or the one Playwright has fetched."""
    candidates = [os.environ.get("VIVAVOCE_CHROMIUM"), *map(shutil.which, _CHROMIUMS), _MAC_CHROME]
    return next((path for path in candidates if path and _says(path)), None) or _playwrights()


@cache
def node() -> str | None:
    """The path of a Node that is new enough: the machine's own, or the one from the wheel beside this Python."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)))
    return node_in(path)


def node_in(path: str) -> str | None:
    for directory in path.split(os.pathsep):
        found = shutil.which("node", path=directory)
        version = re.match(r"v(\d+)\.", _says(found) or "") if found else None
        if version and int(version[1]) >= NODE_AT_LEAST:
            return found
    return None


def redis_server() -> str | None:
    return shutil.which("redis-server")


def postgres_bin() -> Path | None:
    """Where initdb and postgres are; Debian keeps them off the PATH, one directory a version."""
    if program := shutil.which("postgres"):
        return Path(program).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def _playwrights() -> str | None:
    asked = subprocess.run([sys.executable, "-c", _ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    path = asked.stdout.strip()
    return path if path and _says(path) else None


def _says(program: str) -> str | None:
    """What it answers to ``--version``; None when it is not there or does not run, as for want of a library."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
