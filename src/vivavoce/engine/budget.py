"""Where the time went between a speaker's last sound and the first of the answer, stage by stage.

    fell silent ─▶ decided ─▶ recognised ─▶ first_token ─▶ first_audio ─▶ first_packet

Work that is done within the silence is done before the turn is decided: such a stage adds nothing. So each stage is
told twice: ``at``, when it was reached, and ``stages``, what it added to those before. These add up to ``total``, which
is the silence that the speaker heard, but for the way of the sound over the network.
"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["STAGES", "Budget"]

STAGES: Final = ("decided", "recognised", "first_token", "first_audio", "first_packet")


class Budget:
    """Of one turn. ``silent_since`` and all marks are seconds of one clock."""

    def __init__(self, item_id: str, silent_since: float) -> None:
        self.item_id = item_id
        self.response_id = ""
        """Of the answer, once there is one."""
        self._from = silent_since
        self._at: dict[str, float] = {}

    def mark(self, stage: str, at: float | None) -> None:
        """A stage was reached; None: it is not known when, or there was none."""
        if at is not None:
            self._at[stage] = at

    def mark_first(self, stage: str, at: float) -> None:
        """As :meth:`mark`, unless it was reached before."""
        self._at.setdefault(stage, at)

    def told(self, discarded: Mapping[str, Any]) -> dict[str, Any]:
        """All of it, in whole milliseconds."""
        at = {stage: max(0, round((self._at[stage] - self._from) * 1000)) for stage in STAGES if stage in self._at}
        stages: dict[str, int] = {}
        total = 0
        for stage, reached in at.items():
            stages[stage] = max(0, reached - total)
            total = max(total, reached)
        ids = {"item_id": self.item_id, "response_id": self.response_id}
        return {**ids, "total": total, "stages": stages, "at": at, "discarded": dict(discarded)}
