"""What was set where: the environment with its files, and ``vivavoce.toml``. Each value keeps its origin."""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dotenv import dotenv_values

from vivavoce.cli import tables as tables_of
from vivavoce.cli.settings.spec import SettingsError, Spec

__all__ = ["FILE", "Given", "environment", "file", "misspelt", "parsed"]

FILE = "vivavoce.toml"


class Given(NamedTuple):
    raw: object
    origin: str


def environment(directory: Path, environ: Mapping[str, str]) -> dict[str, Given]:
    """All variables, with an origin each. One that is set to nothing counts as not set."""
    found: dict[str, Given] = {}
    for name in (".env", ".env.local"):
        try:
            read = dotenv_values(directory / name, interpolate=False)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{directory / name} cannot be read: {error}.") from None
        found |= {key: Given(value, f"by {key} in {name}") for key, value in read.items() if value}
    return found | {key: Given(value, f"by {key} in the environment") for key, value in environ.items() if value}


def misspelt(environment: Mapping[str, Given], known: Collection[str]) -> list[str]:
    """Words about each variable that is none of ours and nearly has the name of one."""
    tails = {name.removeprefix("VIVAVOCE_"): name for name in known if name.startswith("VIVAVOCE_")}
    said = []
    for name, given in environment.items():
        if not name.startswith("VIVAVOCE_") or name in known:
            continue
        if near := difflib.get_close_matches(name.removeprefix("VIVAVOCE_"), tails, 1):
            origin = given.origin.removeprefix(f"by {name} ")
            said.append(f"{name} ({origin}) is no setting and has no effect; did you mean {tails[near[0]]}?")
    return said


def file(config: Path | None, directory: Path, known: Iterable[str]) -> tuple[dict[str, Given], dict[str, Any]]:
    """Its settings, of which there are those ``known``, and its tables."""
    path = config or directory / FILE
    tables: dict[str, Any] = {name: {} for name in tables_of.TABLES}
    if config is None and not path.exists():
        return {}, tables
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # broken TOML and broken UTF-8
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    tables |= {name: content.pop(name) for name in tables if name in content}
    names = set(known)
    for name in content:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise SettingsError(
                f"{path} sets {name!r}, which is no setting" + (f"; did you mean {near[0]!r}?" if near else ".")
            )
    return {name: Given(value, f"in {path}") for name, value in content.items()}, tables


def parsed(name: str, spec: Spec, given: Given) -> object:
    try:
        return spec.parse(given.raw)
    except ValueError as error:
        raise SettingsError(f"{name} {_shown(given.raw)} {error} (it is set {given.origin}).") from None


def _shown(raw: object) -> str:
    """Without what stands before the @ of an address: that may be a password."""
    return re.sub(r"//[^/@]*@", "//…@", repr(raw))
