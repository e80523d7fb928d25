"""What ``bench/`` makes of its figures, by which docs/performance.md is written."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bench.engine import MEASURES
from bench.plot import Line, draw
from bench.report import Asked, Machine, Report, Table
from bench.voicing import audible, voiced
from tests.support.speech import speech

RATE = 24_000
PAGE = Path(__file__).parent.parent.parent / "docs" / "performance.md"


@dataclass(frozen=True)
class Row:
    server: str
    ms: float


def tables(rows: Sequence[Row]) -> list[Table]:
    return [Table(["server", "ms"], [[row.server, f"{row.ms:.0f}"] for row in rows])]


def asked(rows: Sequence[Row]) -> list[Asked]:
    return [Asked.of("delay", "≤ 9 ms", "us", {row.server: f"{row.ms:.0f} ms" for row in rows})]


MEASURE = SimpleNamespace(Row=Row, tables=tables, asked=asked)
MACHINE = Machine("a processor", 2, "3.11", "2026-11-21 07:00 UTC", 0.1)


def test_a_measure_taken_alone_keeps_the_figures_of_the_others(tmp_path: Path):
    file, measures = tmp_path / "performance.json", {"turns": MEASURE, "core": MEASURE}
    first = Report(measures)
    first.add("core", [Row("us", 3)], MACHINE)
    first.add("turns", [Row("us", 5), Row("peer", 70)], MACHINE)
    first.write(file)

    again = Report.read(file, measures)
    again.add("core", [Row("us", 4)], MACHINE)

    assert [row[2:] for row in again.summary().rows] == [["5 ms", "peer 70 ms"], ["4 ms", ""]]


def test_figures_of_an_older_version_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "performance.json"
    file.write_text('{"turns": {"machine": {"cpu": "x"}, "rows": []}, "gone": {}}')

    assert Report.read(file, {"turns": MEASURE}).rows == {}
    assert "turns is left out" in capsys.readouterr().err


def test_tables_go_where_the_page_has_a_place_for_them(tmp_path: Path):
    page = tmp_path / "performance.md"
    page.write_text("# Page\n\n<!-- turns -->\nold\n<!-- /turns -->\n\nWords.\n\n<!-- asked --><!-- /asked -->\n")
    report = Report({"turns": MEASURE})
    report.add("turns", [Row("us", 5), Row("peer", 70)], MACHINE)

    report.tell(page)

    told = page.read_text()
    assert "old" not in told
    assert "Words." in told
    assert "| server | ms |\n|--------|----|\n| us     | 5  |\n| peer   | 70 |\n\n*a processor, 2 cores" in told
    assert told.endswith("| delay | ≤ 9 ms | 5 ms     | peer 70 ms |\n\n<!-- /asked -->\n")


def test_the_page_has_a_place_for_every_measure():
    assert [name for name in ("asked", *MEASURES) if f"<!-- /{name} -->" not in PAGE.read_text()] == []


def test_the_picture_shows_every_server_and_who_is_full():
    ours = Line("Vivavoce", [(1, 0.6), (100, 0.5)], [(1, 40), (100, 60)])
    peer = Line("R & D", [(1, 4.0), (10, 5.0)], [(1, 90), (10, 20_000)], full=10)

    picture = ET.fromstring(draw([ours, peer]))

    said = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Vivavoce", "R & D", "full at 10", "sessions"} <= set(said)
    lines = [line.attrib["points"] for line in picture.iter("{http://www.w3.org/2000/svg}polyline")]
    assert all(float(y) >= 0 for line in lines for y in (point.split(",")[1] for point in line.split()))


@pytest.mark.parametrize("breath", [0, 0.05, 0.2])
def test_a_voice_begins_after_the_breath_before_it(breath: float):
    hiss = np.random.default_rng(3).normal(0, 3_000, round(breath * RATE))
    hum = 9_000 * np.sign(np.sin(2 * np.pi * 120 * np.arange(RATE // 2) / RATE))
    sound = np.concatenate([np.zeros(2_400), hiss, hum]).astype(np.int16)

    heard = audible(sound)

    assert heard.start == pytest.approx(2_400, abs=5)
    assert voiced(sound[heard], RATE) == pytest.approx(breath, abs=0.02)


def test_the_first_sound_of_stop_has_no_voice():
    samples = np.frombuffer(speech("stop_please", RATE), np.int16)

    assert 0.12 < voiced(samples[audible(samples)], RATE) < 0.25


def test_noise_has_no_voice():
    with pytest.raises(ValueError, match="no voice"):
        voiced(np.random.default_rng(1).normal(0, 3_000, RATE).astype(np.int16), RATE)
