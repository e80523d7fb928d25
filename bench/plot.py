"""The growth of servers as a picture, with nothing but text: an SVG that reads on a light and on a dark page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

__all__ = ["Line", "draw"]

WIDTH, HEIGHT = 860, 380
TOP, BOTTOM, SIDE = 74, 322, 62
PANEL = (WIDTH - 3 * SIDE) / 2
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #334155 }
.title { font-size: 14px; font-weight: 600 }
.axis { stroke: #64748b; fill: none } .grid { stroke: #94a3b8; stroke-opacity: .25 }
.asked { stroke: #64748b; stroke-dasharray: 2 4; fill: none }
polyline.quiet { stroke-dasharray: 6 4 }
polyline, circle { fill: none; stroke-width: 2.2; stroke-linejoin: round }
.c0 { stroke: #2563eb } .c1 { stroke: #c2410c } .c2 { stroke: #047857 } .c3 { stroke: #7e22ce } .c4 { stroke: #64748b }
@media (prefers-color-scheme: dark) {
  text { fill: #cbd5e1 } .axis, .asked, .c4 { stroke: #94a3b8 }
  .c0 { stroke: #60a5fa } .c1 { stroke: #fb923c } .c2 { stroke: #34d399 } .c3 { stroke: #c084fc }
}"""


@dataclass(frozen=True)
class Line:
    name: str
    cost: Sequence[tuple[int, float]]
    """Percent of a core for each session, by sessions."""
    late: Sequence[tuple[int, float]]
    """Milliseconds."""
    full: int | None = None
    """With so many it was, and was not given more."""
    quiet: bool = False
    """No server."""


@dataclass(frozen=True)
class _Panel:
    """Its height is in steps of tens."""

    left: float
    title: str
    ticks: Sequence[float]
    asked: float
    most: int
    """Sessions, at its right end."""

    def x(self, sessions: float) -> float:
        return self.left + PANEL * sessions / self.most

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return BOTTOM - (BOTTOM - TOP) * log10(min(max(value, low), high) / low) / log10(high / low)


def draw(lines: Sequence[Line]) -> str:
    """Two panels beside each other: what a session costs, and how late answers are."""
    sizes = sorted({size for line in lines for size, _ in line.cost})
    cost = _Panel(SIDE, "CPU of a core for each session, %", (0.1, 1, 10, 100), 0.5, sizes[-1])
    late = _Panel(2 * SIDE + PANEL, "p95 of answers over the silence, ms", (10, 100, 1_000, 10_000), 80, sizes[-1])
    parts = [*_axes(cost, sizes), *_axes(late, sizes)]
    for index, line in enumerate(lines):
        looks = "c4 quiet" if line.quiet else f"c{index}"
        parts += [*_legend(line, looks, index / len(lines)), *_drawn(cost, line.cost, looks)]
        parts += [*_drawn(late, line.late, looks), *_ending(late, line)]
    says = "What a session costs and how late answers are, by the number of sessions"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{says}">\n'
        f"<style>{STYLE}\n</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _legend(line: Line, looks: str, place: float) -> Iterator[str]:
    x = SIDE + place * (WIDTH - SIDE)
    yield f'<polyline class="{looks}" points="{x:.0f},18 {x + 22:.0f},18"/>'
    yield f'<text x="{x + 28:.0f}" y="22">{escape(line.name)}</text>'


def _axes(panel: _Panel, sizes: Sequence[int]) -> Iterator[str]:
    right = panel.left + PANEL
    yield f'<text class="title" x="{panel.left:.0f}" y="{TOP - 18}">{panel.title}</text>'
    for tick in panel.ticks:
        y = panel.y(tick)
        yield f'<path class="grid" d="M{panel.left:.0f},{y:.1f}H{right:.0f}"/>'
        yield f'<text x="{panel.left - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{tick:,g}</text>'
    for size in sizes:
        yield f'<text x="{panel.x(size):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{size}</text>'
    yield f'<text x="{panel.left + PANEL / 2:.0f}" y="{BOTTOM + 40}" text-anchor="middle">sessions</text>'
    yield f'<path class="axis" d="M{panel.left:.0f},{TOP}V{BOTTOM}H{right:.0f}"/>'
    y = panel.y(panel.asked)
    yield f'<path class="asked" d="M{panel.left:.0f},{y:.1f}H{right:.0f}"/>'
    yield f'<text x="{right:.0f}" y="{y + 15:.1f}" text-anchor="end">asked: {panel.asked:g}</text>'


def _drawn(panel: _Panel, points: Sequence[tuple[int, float]], looks: str) -> Iterator[str]:
    at = [(f"{panel.x(size):.1f}", f"{panel.y(value):.1f}") for size, value in points]
    yield f'<polyline class="{looks}" points="{" ".join(",".join(each) for each in at)}"/>'
    for x, y in at:
        yield f'<circle class="{looks}" cx="{x}" cy="{y}" r="2.5"/>'


def _ending(panel: _Panel, line: Line) -> Iterator[str]:
    if line.full and line.late:
        size, value = line.late[-1]
        yield f'<text x="{panel.x(size) + 7:.1f}" y="{panel.y(value) + 4:.1f}">full at {line.full}</text>'
