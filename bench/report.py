"""What was measured, kept as numbers and told as tables.

The numbers lie in ``docs/performance.json``, by measure, each with the machine and the day it was taken on, so measures
can be taken one at a time. ``docs/performance.md`` shows the tables of each between two comments, ``<!-- growth -->``
and ``<!-- /growth -->``; whatever else stands in it is for people to write.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

__all__ = ["NONE", "Asked", "Machine", "Measure", "Report", "Table", "summary"]

SUMMARY = "asked"
"""The name of the table that sums up all of them."""
NONE = "–"


@dataclass(frozen=True)
class Table:
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """As Markdown, with columns that also stand under each other in a terminal."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        lines = [
            "| " + " | ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) + " |"
            for row in (self.columns, *self.rows)
        ]
        return "\n".join((lines[0], rule, *lines[1:]))


@dataclass(frozen=True)
class Asked:
    """A line of the summary: what ought to be, and what is."""

    measure: str
    asked: str
    ours: str
    peers: Mapping[str, str]
    """What their names are told with."""

    @classmethod
    def of(cls, measure: str, asked: str, ours: str, found: Mapping[str, str]) -> "Asked":
        """``found`` by server, of which ``ours`` is one."""
        return cls(measure, asked, found.get(ours, NONE), {name: at for name, at in found.items() if name != ours})


@dataclass(frozen=True)
class Machine:
    """Where and when something was measured."""

    processor: str
    cores: int
    python: str
    date: str
    load: float
    """Processes that wanted a processor in the minute before (Linux): over nought, others were at work."""

    @classmethod
    def this(cls) -> "Machine":
        named = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        processor = named[1].strip() if named else platform.machine()
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return cls(processor, os.cpu_count() or 1, platform.python_version(), now, round(os.getloadavg()[0], 1))

    def __str__(self) -> str:
        return f"{self.processor}, {self.cores} cores, Python {self.python}, {self.date}, load {self.load} before it"


class Measure(Protocol):
    """A module of ``bench/measures``: it measures rows, and tells them."""

    @property
    def Row(self) -> Any:
        """A dataclass."""

    def tables(self, rows: Sequence[Any]) -> Sequence[Table]: ...

    def asked(self, rows: Sequence[Any]) -> Sequence[Asked]: ...


@dataclass
class Report:
    """Rows by measure."""

    measures: Mapping[str, Measure]
    rows: dict[str, Sequence[Any]] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)

    def add(self, name: str, rows: Sequence[Any], machine: Machine) -> None:
        self.rows[name], self.machines[name] = rows, machine

    @classmethod
    def read(cls, file: Path, measures: Mapping[str, Measure]) -> "Report":
        """What was measured before; nothing of a measure that is told in other terms by now."""
        report = cls(measures)
        for name, kept in (json.loads(file.read_text()) if file.exists() else {}).items():
            try:
                report.add(name, [measures[name].Row(**row) for row in kept["rows"]], Machine(**kept["machine"]))
            except (KeyError, TypeError) as problem:
                print(f"{file}: {name} is left out, it was measured by another version ({problem}).", file=sys.stderr)
        return report

    def write(self, file: Path) -> None:
        kept = {
            name: {"machine": asdict(self.machines[name]), "rows": [_rounded(asdict(row)) for row in rows]}
            for name, rows in self.rows.items()
        }
        file.write_text(json.dumps(kept, indent=1) + "\n")

    def told(self, name: str) -> str:
        """The tables of one measure."""
        tables = self.measures[name].tables(self.rows[name])
        return "\n\n".join([*map(str, tables), f"*{self.machines[name]}*"])

    def summary(self) -> Table:
        """In the order of the measures."""
        return summary(
            line
            for name, measure in self.measures.items()
            if name in self.rows
            for line in measure.asked(self.rows[name])
        )

    def tell(self, page: Path) -> None:
        """Put the tables where the page has a place for them."""
        text = page.read_text()
        for name in (SUMMARY, *self.rows):
            said = str(self.summary()) if name == SUMMARY else self.told(name)
            text, places = _between(text, name, said)
            if not places:
                print(f"{page} has no place for {name}: <!-- {name} --> and <!-- /{name} -->.", file=sys.stderr)
        page.write_text(text)


def summary(lines: Iterable[Asked]) -> Table:
    def peers(line: Asked) -> str:
        return "; ".join(f"{name} {found}" for name, found in line.peers.items())

    return Table(
        ["", "asked", "Vivavoce", "peers"], [[line.measure, line.asked, line.ours, peers(line)] for line in lines]
    )


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}


def _between(text: str, name: str, said: str) -> tuple[str, int]:
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(f"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
    return pattern.subn(lambda _: f"{opening}\n\n{said}\n\n{closing}", text)
