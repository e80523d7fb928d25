"""What is built and handed out: the wheel, and the promises of pyproject.toml that scripts repeat."""

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    made = subprocess.run(build, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return ZipFile(next(target.glob("*.whl")))


def test_the_wheel_holds_the_page_and_the_orb(wheel: ZipFile):
    static = ROOT / "src" / "vivavoce" / "static"
    committed = {
        f"vivavoce/static/{file.relative_to(static).as_posix()}" for file in static.rglob("*") if file.is_file()
    }
    assert {"vivavoce/static/index.html", "vivavoce/static/orb.js"} <= committed
    assert committed <= set(wheel.namelist())


def test_the_wheel_holds_every_module(wheel: ZipFile):
    source = ROOT / "src"
    modules = {file.relative_to(source).as_posix() for file in (source / "vivavoce").rglob("*.py")}
    assert modules | {"vivavoce/py.typed"} <= set(wheel.namelist())


def test_the_wheel_gives_the_command_and_the_licences(wheel: ZipFile):
    names = {name.partition(".dist-info/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert b"vivavoce = vivavoce.cli.main:main" in wheel.read(names["entry_points.txt"])
    assert {"licenses/LICENSE", "licenses/THIRD_PARTY_NOTICES.md"} <= set(names)


def test_the_notices_name_every_dependency():
    told = (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8")
    named = {word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9_-]*", told)}
    wanted = [*PROJECT["project"]["dependencies"], *chain(*PROJECT["project"]["optional-dependencies"].values())]
    assert {_name(each) for each in wanted} <= named


def test_set_up_takes_the_pythons_of_requires_python():
    low, high = map(int, re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"]))
    script = (ROOT / "scripts" / "setup.sh").read_text("utf-8")
    assert f"(3, {low}) <= sys.version_info[:2] <= (3, {high - 1})" in script
    assert " ".join(f"python3.{minor}" for minor in range(high - 1, low - 1, -1)) in script


@pytest.mark.parametrize("kinds", [[""], ["-dev", "-turn"]])
def test_the_lock_files_know_every_dependency(kinds: list[str]):
    """After a change in pyproject.toml: make lock."""
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["talk"]]
    if "-dev" in kinds:
        wanted += [*PROJECT["dependency-groups"]["dev"], *chain(*PROJECT["project"]["optional-dependencies"].values())]
    locks = "".join((ROOT / f"requirements{kind}.lock").read_text("utf-8") for kind in kinds)
    assert {_name(each) for each in wanted} <= set(re.findall(r"^([a-z0-9-]+)==", locks, re.MULTILINE))


def test_both_lock_files_agree():
    pins = [
        dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0].items() <= pins[1].items()


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()
