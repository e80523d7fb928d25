"""Sees to it that the tests have a Chromium, a Node with the front end's packages and, if possible, Redis and
PostgreSQL: takes what is there, else installs what can be had. `tools.py web` sees to Node alone, and runs a script
of web/package.json with it.

Playwright's Chromium and the Node of a PyPI wheel stay out of the system; where they cannot be had, and for the
servers, Debian's packages are installed, if that works without asking for a password.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
WEB = ROOT / "web"
sys.path.insert(0, str(ROOT))

from tests.support import tools  # noqa: E402 - found only now

INSTALL_SECONDS = 900


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["web"]:
        node = ensure_node()
        return npm(node, "run", *arguments[1:]) if node and ensure_packages(node) else 1
    browser = ensure_chromium()
    node = ensure_node()
    try_for_services()
    return 0 if browser and node and ensure_packages(node) else 1


def ensure_chromium() -> str | None:
    return ensure(
        "Chromium",
        tools.chromium.__wrapped__,  # not what it remembers
        [[sys.executable, "-m", "playwright", "install", "chromium"], *debian("chromium")],
        "Install Chromium or Chrome, or name one: VIVAVOCE_CHROMIUM=/path/to/chrome make test",
    )


def ensure_node() -> str | None:
    wheel = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements-node.lock"]
    return ensure(
        f"Node {tools.NODE_AT_LEAST} or newer",
        tools.node.__wrapped__,
        [[sys.executable, *wheel], *debian("nodejs", "npm")],
        "Install it from https://nodejs.org or your system's packages.",
    )


def try_for_services() -> None:
    """Redis and PostgreSQL; where they cannot be had, the tests that need them are skipped, with the reason."""
    for name, find, package in (
        ("Redis", tools.redis_server, "redis-server"),
        ("PostgreSQL", tools.postgres_bin, "postgresql"),
    ):
        if found := find():
            print(f"ok      {name}: {found}", flush=True)
        elif ways := debian(package):
            print(f"There is no {name} yet; trying: {' '.join(ways[-1])}", flush=True)
            for way in ways:
                run(way)


def ensure(name: str, find: Callable[[], str | None], ways: list[list[str]], remedy: str) -> str | None:
    """The path of what ``find`` finds, be it after trying the ``ways`` to install it one by one."""
    for way in [[], *ways]:
        if way:
            print(f"There is no {name} yet; trying: {' '.join(way)}", flush=True)
            run(way)
        if found := find():
            print(f"ok      {name}: {found}", flush=True)
            return found
    print(f"\nThe tests need {name}, and it could not be installed. {remedy}", file=sys.stderr)
    return None


def ensure_packages(node: str) -> bool:
    """What web/package-lock.json names; a stamp says that it is there already."""
    stamp = WEB / "node_modules" / ".vivavoce"
    wanted = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    print("Installing the front end's packages (npm ci).", flush=True)
    if npm(node, "ci", "--no-audit", "--no-fund", "--loglevel=error") != 0:
        print("\nThe front end's packages could not be installed: see above.", file=sys.stderr)
        return False
    stamp.write_text(wanted)
    return True


def npm(node: str, *arguments: str) -> int:
    """The one that belongs to this Node, whatever else is on the PATH."""
    path = os.pathsep.join((str(Path(node).parent), os.environ.get("PATH", os.defpath)))
    program = shutil.which("npm", path=path)
    if program is None:
        print(f"\nThere is a Node ({node}), but no npm beside it. On Debian: apt install npm", file=sys.stderr)
        return 1
    return subprocess.run([program, *arguments], cwd=WEB, env={**os.environ, "PATH": path}, check=False).returncode


def run(command: list[str]) -> None:
    """Its failure shows in what is there afterwards."""
    try:
        subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)


def debian(*packages: str) -> list[list[str]]:
    """The commands that install packages, where this user may."""
    if not shutil.which("apt-get"):
        return []
    become: list[str] = []
    if os.geteuid() != 0:
        become = ["sudo", "-n"]
        if not shutil.which("sudo") or subprocess.run([*become, "true"], capture_output=True, check=False).returncode:
            return []
    apt = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    return [[*apt, "update"], [*apt, "install", "--no-install-recommends", *packages]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
