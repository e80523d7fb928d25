"""The rows of the protocol, and which tests bear them. ``@row("O-13")`` on a test says that it holds that row."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Row", "borne", "row", "rows"]

HERE = Path(__file__).parent

row = pytest.mark.row


@dataclass(frozen=True)
class Row:
    id: str
    section: str
    says: str
    not_here: str = ""
    """Why it does not apply; empty where it does."""


def rows() -> dict[str, Row]:
    """In the order of the file."""
    sections = tomllib.loads((HERE / "rows.toml").read_text())
    return {id: Row(id, section, **entry) for section, entries in sections.items() for id, entry in entries.items()}


def borne() -> Mapping[str, list[str]]:
    """Row id to the tests that bear it, ``file::test``, read from the source so that it does not matter which tests
    run."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for id in _ids(node):
                    found[id].append(f"{file.name}::{node.name}")
    return found


def _ids(test: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    ids = []
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "row":
            ids += [str(arg.value) for arg in mark.args if isinstance(arg, ast.Constant)]
    return ids
