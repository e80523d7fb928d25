"""`make conformance`: runs the tests of tests/conformance/ and prints, row by row, what holds."""

import contextlib
import io
import sys
from collections import defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.conformance.rows import Row, rows

VERDICTS = ("holds", "not yet", "FAILS", "does not apply", "NO TEST")
_ORDER = {"holds": 0, "not yet": 1, "FAILS": 2}


class Rows:
    """A pytest plugin that hears how each row's tests end."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.verdicts: dict[str, str] = {}
        self.why: dict[str, str] = {}
        self._rows: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            ids = [id for mark in item.iter_markers("row") for id in mark.args]
            self._rows[item.nodeid] = ids
            for id in ids:
                self.tests[id].add(item.nodeid.partition("[")[0].rpartition("/")[2])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        later = getattr(report, "wasxfail", None)
        if report.skipped and later is not None:
            self._judge(report.nodeid, "not yet", later.removeprefix("reason: "))
        elif report.failed:
            self._judge(report.nodeid, "FAILS", str(report.longrepr).splitlines()[-1])
        elif report.when == "call" and report.passed:
            self._judge(report.nodeid, "holds", "")

    def _judge(self, nodeid: str, verdict: str, why: str) -> None:
        for id in self._rows.get(nodeid, ()):
            if _ORDER[verdict] >= _ORDER[self.verdicts.get(id, "holds")]:
                self.verdicts[id] = verdict
                self.why[id] = why or self.why.get(id, "")


def verdict_of(row: Row, heard: Rows) -> tuple[str, str]:
    if row.not_here:
        return "does not apply", row.not_here
    return heard.verdicts.get(row.id, "NO TEST"), heard.why.get(row.id, "")


def main() -> int:
    heard = Rows()
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = pytest.main(["-q", "-p", "no:cacheprovider", "tests/conformance"], plugins=[heard])
    count: dict[str, int] = dict.fromkeys(VERDICTS, 0)
    section = ""
    for row in rows().values():
        if row.section != section:
            section = row.section
            print(f"\n{section}")
        verdict, why = verdict_of(row, heard)
        count[verdict] += 1
        print(f"  {row.id:5} {verdict:15} {row.says}")
        print("".join(f"{'':23} · {line}\n" for line in [why, *sorted(heard.tests[row.id])] if line), end="")
    print("\n" + ", ".join(f"{number} {verdict}" for verdict, number in count.items() if number))
    if code:
        print(output.getvalue())
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
