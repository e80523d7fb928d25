"""Sees to it that the tests have a Chromium and a Node: takes what is there, else installs what can be had.

Playwright's Chromium and the Node of a PyPI wheel stay out of the system; where they cannot be had, Debian's packages
are installed, if that works without asking for a password.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support import tools  # noqa: E402 - found only now

PYTHON = sys.executable


def ensure(name: str, find: Callable[[], str | None], ways: list[list[str]], remedy: str) -> bool:
    for way in [[], *ways]:
        if way:
            print(f"There is no {name} yet; trying: {' '.join(way)}", flush=True)
            run(way)
            tools.chromium.cache_clear()
            tools.node.cache_clear()
        if found := find():
            print(f"ok      {name}: {found}", flush=True)
            return True
    print(f"\nThe tests need {name}, and it could not be installed. {remedy}", file=sys.stderr)
    return False


def run(command: list[str]) -> None:
    """Its failure shows in what is there afterwards."""
    try:
        subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)


def debian(*packages: str) -> list[list[str]]:
    """The commands that install packages, where this user may."""
    if not shutil.which("apt-get"):
        return []
    if os.geteuid() == 0:
        become = []
    elif (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        become = ["sudo", "-n"]
    else:
        return []
    apt = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    return [[*apt, "update"], [*apt, "install", "--no-install-recommends", *packages]]


def main() -> int:
    browser = ensure(
        "Chromium",
        tools.chromium,
        [[PYTHON, "-m", "playwright", "install", "chromium"], *debian("chromium")],
        "Install Chromium or Chrome, or name one: VIVAVOCE_CHROMIUM=/path/to/chrome make test",
    )
    wheel = [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements-node.lock"]
    script = ensure(
        f"Node {tools.NODE_AT_LEAST} or newer",
        tools.node,
        [wheel, *debian("nodejs", "npm")],
        "Install it from https://nodejs.org or your system's packages.",
    )
    return 0 if browser and script else 1


if __name__ == "__main__":
    sys.exit(main())
