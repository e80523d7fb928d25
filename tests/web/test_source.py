"""The front end's source, where there is Node: it type-checks, its tests pass, and it makes the committed files."""

import filecmp
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import node
from vivavoce.server.options import STATIC

WEB = Path(__file__).parents[2] / "web"
SECONDS = 120


@pytest.fixture(scope="module")
def node_path() -> str:
    path = node()
    if path is None or not (WEB / "node_modules" / "esbuild").exists():
        pytest.skip("no Node with the front end's packages; `make test` installs them")
    return path


def run(node: str, *arguments: str | Path) -> None:
    path = os.pathsep.join((str(Path(node).parent), os.environ.get("PATH", os.defpath)))
    done = subprocess.run(
        [node, *map(str, arguments)], cwd=WEB, env={**os.environ, "PATH": path},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("part", [".", "src/worklets", "tests"])
def test_types(node_path: str, part: str):
    run(node_path, WEB / "node_modules" / "typescript" / "bin" / "tsc", "-p", part)


def test_logic(node_path: str):
    run(node_path, "test.mjs")


def test_building_again_gives_the_committed_bytes(node_path: str, tmp_path: Path):
    run(node_path, "build.mjs", tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in STATIC.iterdir())
    _, differing, missing = filecmp.cmpfiles(tmp_path, STATIC, names, shallow=False)
    assert not differing + missing, "run `make web` and commit src/vivavoce/static"
