"""``make setup`` on machines that lack something: what it says, and that it leaves nothing half made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TOOLS = ("sh", "cat", "cksum", "dirname", "env")

RUNS_NOTHING = "exit 1"  # as a version manager's placeholder does
TOO_OLD = 'case "$2" in *version_info*) exit 1;; esac; exit 0'
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac; exit 0'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A clone, and beside it ``bin/`` with the few programs that this machine has."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "clone" / "scripts")
    for name in ("pyproject.toml", *(f"requirements{kind}.lock" for kind in ("", "-dev", "-setup", "-turn"))):
        (tmp_path / "clone" / name).write_text(name)
    return tmp_path


def add(machine: Path, program: str, does: str) -> None:
    path = machine / "bin" / program
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def setup(machine: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "scripts/setup.sh", *args],
        cwd=machine / "clone",
        env={"PATH": str(machine / "bin"), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("pythons", "words"),
    [
        ({}, "needs Python 3.11, 3.12 or 3.13, and none was found."),
        ({"python3": RUNS_NOTHING}, "none was found."),
        ({"python3": TOO_OLD}, "none was found."),
        ({"python3": WITHOUT_VENV}, "sudo apt install python3.12-venv"),
        ({"python3.13": RUNS_NOTHING, "python3": WITHOUT_VENV}, "sudo apt install python3.12-venv"),
    ],
)
def test_without_a_python_that_fits(machine: Path, pythons: dict[str, str], words: str):
    for program, does in pythons.items():
        add(machine, program, does)
    done = setup(machine)
    assert done.returncode == 1
    assert words in done.stderr
    assert not (machine / "clone" / ".venv").exists()


def test_a_python_that_was_named_and_is_not_there(machine: Path):
    assert "none was found as /opt/python" in setup(machine, PYTHON="/opt/python").stderr


FITTING = """
if [ "$1" = -m ] && [ "$2" = venv ]; then
    mkdir -p .venv/bin
    cp "$0" .venv/bin/python
fi
echo "python $*" >>calls
exit 0
"""


@pytest.fixture
def complete(machine: Path) -> Path:
    for tool in ("mkdir", "cp"):
        (machine / "bin" / tool).symlink_to(str(shutil.which(tool)))
    add(machine, "python3.12", FITTING)
    return machine


def calls(machine: Path) -> list[str]:
    path = machine / "clone" / "calls"
    found = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [call for call in found if " -m pip " in call]


def test_it_installs_once(complete: Path):
    assert setup(complete).returncode == 0
    assert [call.rpartition(" ")[2] for call in calls(complete)] == [
        "requirements-setup.lock", "requirements.lock", ".",
    ]  # fmt: skip
    assert setup(complete).returncode == 0
    assert calls(complete) == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.lock", "requirements-setup.lock"])
def test_it_installs_again_after_a_change(complete: Path, changed: str):
    setup(complete)
    calls(complete)
    (complete / "clone" / changed).write_text("changed")
    setup(complete)
    assert len(calls(complete)) == 3


def test_what_development_needs_holds_what_running_needs(complete: Path):
    setup(complete, "dev")
    assert "requirements-dev.lock" in " ".join(calls(complete))
    setup(complete)
    assert calls(complete) == []


def test_a_clone_that_was_moved_installs_again(complete: Path):
    """The programs in a virtual environment name its place in their first line."""
    setup(complete)
    calls(complete)
    os.rename(complete / "clone", complete / "moved")
    os.symlink(complete / "moved", complete / "clone")
    assert "Making .venv" in setup(complete).stderr
    assert len(calls(complete)) == 3


def test_a_failed_installation_is_said_and_tried_again(complete: Path):
    add(complete, "python3.12", FITTING.replace("exit 0", 'case "$*" in *requirements.lock) exit 1;; esac'))
    done = setup(complete)
    assert done.returncode == 1
    assert "The packages of requirements.lock could not be installed" in done.stderr
    calls(complete)
    assert setup(complete).returncode == 1
    assert len(calls(complete)) == 2
