"""What a WebRTC call costs the server, beside bare aiortc and libwebrtc doing as much (``bench/webrtc.py``, which also
tells how late an echo comes and what lost packets do)."""

from collections.abc import Sequence

from bench import webrtc
from bench.measures.common import doing
from bench.report import Asked, Table
from bench.servers import Server

__all__ = ["Row", "asked", "measure", "tables"]

CALLS, SECONDS, ROUNDS = 10, 6.0, 1
ASKED = (
    ("CPU a WebRTC session, both sides speak, of a core", "≤ 2.5 %", True),
    ("CPU a WebRTC session, one side speaks, of a core", "≤ 1.3 %", False),
)
OURS = {True: "Vivavoce, a whole session: both speak", False: "Vivavoce, a whole session: listens"}

Row = webrtc.Cost


async def measure(servers: Sequence[Server]) -> list[Row]:
    """With nobody but us among the ``servers``, of ours alone."""
    kinds = [kind for kind in webrtc.KINDS if len(servers) > 1 or kind.name in OURS.values()]
    doing("calls", f"{len(kinds)} kinds")
    return await webrtc.costs(kinds, CALLS, SECONDS, ROUNDS)


def tables(rows: Sequence[Row]) -> list[Table]:
    lines = [[row.name, f"{row.cpu:.1%}".replace("%", " %"), f"{row.threads:.1f}"] for row in rows]
    return [Table(["processor time, a call", "of a core", "threads, a call"], lines)]


def asked(rows: Sequence[Row]) -> list[Asked]:
    found = {row.name: f"{100 * row.cpu:.1f} %, {row.threads:.0f} threads" for row in rows}
    return [
        Asked.of(
            measure, at_most, OURS[speaks],
            {kind.name: found[kind.name] for kind in webrtc.KINDS if kind.speaks == speaks and kind.name in found},
        )
        for measure, at_most, speaks in ASKED
    ]  # fmt: skip
