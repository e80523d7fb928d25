"""The engine beside its peers, in the same run: how soon an answer sounds, how soon it stops, what a session costs.

    python -m bench.engine [--without-peers] [--only turns,interruptions,growth,core,calls,soak] [--report DIR]

Every server asks the same models over HTTP, stubs that take a set time (``bench/stubs.py``), and is talked to by the
same people (``bench/talkers.py``), so what differs is the server. Peers are installed from PyPI into ``bench/.venvs``
on demand. Needs Linux, ``flite``, and two cores that do nothing else: a delay is as long as the machine makes it.

With ``--report docs`` the figures become those of ``performance.json``, beside the figures there of measures that were
not taken now; the tables of ``performance.md`` and ``growth.svg`` are made anew from all of them. (``--only ""``
measures nothing and does just that.)
"""

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import uvloop

from bench.measures import calls, core, growth, interruptions, soak, turns
from bench.plot import draw
from bench.processes import Unanswered
from bench.report import Machine, Measure, Report
from bench.servers import OURS, PEERS, Server


class Measuring(Measure, Protocol):
    @property
    def measure(self) -> Callable[[Sequence[Server]], Awaitable[Sequence[Any]]]: ...


MEASURES = cast(
    Mapping[str, Measuring],
    {
        "turns": turns,
        "interruptions": interruptions,
        "growth": growth,
        "core": core,
        "calls": calls,
        "soak": soak,
    },
)


async def take(only: Sequence[str], servers: Sequence[Server], directory: Path | None) -> bool:
    """Measures one by one. What one has found is written down before the next begins, and one that cannot be taken is
    left out: then False."""
    all_taken = True
    report = Report.read(directory / "performance.json", MEASURES) if directory else Report(MEASURES)
    for name in only:
        machine = Machine.this()
        try:
            report.add(name, await MEASURES[name].measure(servers), machine)
        except Unanswered as problem:
            all_taken = False
            print(f"{name} is left out: {problem}", file=sys.stderr)
            continue
        print(f"\n{report.told(name)}", flush=True)
        if directory:
            write(report, directory)
    if directory:
        write(report, directory)
    print(f"\n{report.summary()}")
    return all_taken


def write(report: Report, directory: Path) -> None:
    report.write(directory / "performance.json")
    report.tell(directory / "performance.md")
    if "growth" in report.rows:
        (directory / "growth.svg").write_text(draw(growth.lines(report.rows["growth"])))


def main() -> None:
    parser = argparse.ArgumentParser(description="The engine beside its peers.")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--only", default=",".join(MEASURES), help="measures, with commas between them")
    parser.add_argument("--report", type=Path, help="where performance.json and performance.md lie")
    given = parser.parse_args()
    only = [each for each in given.only.split(",") if each]
    if unknown := set(only) - set(MEASURES):
        parser.error(f"There is no measure {', '.join(unknown)}: there are {', '.join(MEASURES)}.")
    all_taken = uvloop.run(take(only, (OURS,) if given.without_peers else (OURS, *PEERS), given.report))
    sys.exit(0 if all_taken else 1)


if __name__ == "__main__":
    main()
