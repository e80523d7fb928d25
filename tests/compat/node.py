"""Node, with the clients of ``js/`` installed beside it from their lock file."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import tools

__all__ = ["JS", "Node", "installed"]

JS = Path(__file__).with_name("js")
INSTALL_SECONDS = 300
PATIENCE = 30.0
"""Seconds that a client may take for its conversation."""


@dataclass(frozen=True, slots=True)
class Node:
    program: str

    async def run(self, script: str, *arguments: str, **environment: str) -> Any:
        """What ``js/<script>`` prints, which is one JSON value."""
        process = await asyncio.create_subprocess_exec(
            self.program, str(JS / script), *arguments,
            cwd=JS,
            env={**os.environ, "NO_COLOR": "1", **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                out, err = await process.communicate()
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            pytest.fail(f"{script} did not end within {PATIENCE:g} s: {out.decode()}{err.decode()}")
        assert process.returncode == 0, f"{script}: {out.decode()}{err.decode()}"
        return json.loads(out)


def installed() -> Node:
    """A stamp says that what the lock file names is there already; workers that run beside each other wait."""
    program = tools.node()
    if program is None:
        pytest.skip(f"no Node {tools.NODE_AT_LEAST} or newer on this machine; `make test` installs one")
    stamp = JS / "node_modules" / ".vivavoce"
    wanted = hashlib.sha256((JS / "package-lock.json").read_bytes()).hexdigest()
    with (JS / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            _npm_ci(program)
            stamp.write_text(wanted)
    return Node(program)


def _npm_ci(node: str) -> None:
    path = os.pathsep.join((str(Path(node).parent), os.environ.get("PATH", os.defpath)))
    npm = shutil.which("npm", path=path)
    assert npm, f"There is a Node ({node}), but no npm beside it. On Debian: apt install npm"
    subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=JS, env={**os.environ, "PATH": path}, check=True, timeout=INSTALL_SECONDS,
    )  # fmt: skip
