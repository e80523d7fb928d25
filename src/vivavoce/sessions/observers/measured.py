"""An :class:`Observer` that counts what happens in one session, for Prometheus."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from vivavoce.engine.budget import STAGES
from vivavoce.protocol.frame import Frame
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.metrics import NOBODY, Metrics
from vivavoce.sessions.notices import Notice

__all__ = ["Measured"]

_TRANSCRIBED: Final = "conversation.item.input_audio_transcription.completed"
_TOOLS: Final = {"function_call", "mcp_call"}


class Measured(Observer):
    """It stands behind the meter: ``usd`` is what the session has cost so far, None where that is not known."""

    def __init__(
        self, metrics: Metrics, transport: str, agent: str | None, model: str, usd: Callable[[], Decimal | None]
    ) -> None:
        self._metrics, self._transport, self._usd = metrics, transport, usd
        self._agent, self._model = metrics.agent(agent or NOBODY), metrics.model(model)
        self._charged = Decimal(0)
        self._frames = metrics.frames
        metrics.opened.labels(transport, metrics.backend, self._agent).inc()

    def sent(self, frame: Frame) -> None:
        self._frames.inward += 1

    def told(self, frame: Frame) -> None:
        self._frames.outward += 1
        if note := _TOLD.get(frame.type):
            note(self, frame.data)

    def noticed(self, notice: Notice) -> None:
        """Where the time of a turn went, see ``engine/budget.py``."""
        total = notice.data.get("total") if notice.kind == "turn" else None
        if isinstance(total, int):
            self._metrics.first_audio.labels(self._transport, self._agent).observe(total / 1000)
            stages = _object(notice.data, "stages")
            for stage in (stage for stage in STAGES if stage in stages):
                self._metrics.stages.labels(stage).observe(stages[stage] / 1000)

    def _turn(self, data: Mapping[str, Any]) -> None:
        self._metrics.turns.labels(self._agent).inc()

    def _item(self, data: Mapping[str, Any]) -> None:
        item = _object(data, "item")
        if (kind := item.get("type")) in _TOOLS:
            self._metrics.tools.labels(kind, "failed" if item.get("error") else "completed").inc()

    def _response(self, data: Mapping[str, Any]) -> None:
        response = _object(data, "response")
        self._metrics.answered(response.get("status"), self._agent, self._model, _object(response, "usage"))
        self._charge(data)

    def _charge(self, _data: Mapping[str, Any]) -> None:
        usd = self._usd()
        if usd is not None and usd > self._charged:
            self._metrics.dollars.labels(self._agent, self._model).inc(float(usd - self._charged))
            self._charged = usd

    def _error(self, data: Mapping[str, Any]) -> None:
        error = _object(data, "error")
        self._metrics.errors.labels(self._metrics.code(str(error.get("code") or error.get("type")))).inc()


_TOLD: Final[Mapping[str, Callable[[Measured, Mapping[str, Any]], None]]] = {
    "input_audio_buffer.committed": Measured._turn,
    "response.output_item.done": Measured._item,
    "response.done": Measured._response,
    _TRANSCRIBED: Measured._charge,
    "error": Measured._error,
}


def _object(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}
