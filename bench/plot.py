"""The growth of servers as a picture, with nothing but text: an SVG that reads on a light and on a dark page."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

__all__ = ["draw"]

Point = tuple[int, float, float]
"""Sessions, percent of a core for each, and by how many milliseconds the slowest answers in twenty were late."""

COLOURS = ("#2563eb", "#d97706", "#059669", "#7c3aed")
WIDTH, HEIGHT, MARGIN = 420, 260, 46


def draw(path: Path, grown: Mapping[str, Sequence[Point]]) -> None:
    """Two panels beside each other: what a session costs, and how late answers are."""
    panels = [
        _panel(
            0, "CPU of a core for each session, %", {name: [(x, y) for x, y, _ in at] for name, at in grown.items()}
        ),
        _panel(1, "p95 over the silence, ms", {name: [(x, y) for x, _, y in at] for name, at in grown.items()}),
    ]
    legend = "".join(
        f'<text x="{MARGIN + 220 * index}" y="{HEIGHT + 28}" fill="{colour}">● {escape(name)}</text>'
        for index, (name, colour) in enumerate(zip(grown, COLOURS, strict=False))
    )
    style = "<style>text{font:12px system-ui,sans-serif} .axis{stroke:#888;fill:none} .quiet{fill:#888}</style>"
    size = f'viewBox="0 0 {2 * WIDTH} {HEIGHT + 40}" role="img" aria-label="Cost and delay by the number of sessions"'
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(panels)}{legend}</svg>\n')


def _panel(index: int, title: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    left, top, right, bottom = index * WIDTH + MARGIN, 30, (index + 1) * WIDTH - 14, HEIGHT - 24
    most_x = max(x for points in lines.values() for x, _ in points)
    most_y = _round_up(max(y for points in lines.values() for _, y in points))

    def at(x: float, y: float) -> str:
        return f"{left + (right - left) * x / most_x:.1f},{bottom - (bottom - top) * max(y, 0) / most_y:.1f}"

    parts = [
        f'<text x="{left}" y="18">{escape(title)}</text>',
        f'<path class="axis" d="M{left},{top}V{bottom}H{right}"/>',
        f'<text class="quiet" x="{left - 6}" y="{top + 4}" text-anchor="end">{most_y:g}</text>',
        f'<text class="quiet" x="{left - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text class="quiet" x="{right}" y="{bottom + 16}" text-anchor="end">{most_x} sessions</text>',
    ]
    for points, colour in zip(lines.values(), COLOURS, strict=False):
        drawn = " ".join(at(x, y) for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in (p.split(",") for p in drawn.split())
        ]
    return "".join(parts)


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    scale = 1.0
    while scale * 10 <= value:
        scale *= 10
    while scale > value:
        scale /= 10
    return next(step * scale for step in (1, 2, 5, 10) if step * scale >= value)
