"""The numbers of this process, for Prometheus: what each is called, and what may stand in its labels.

Labels are few and of few values. A client can name any model it likes, and an upstream any error: what is not known
beforehand, or comes after the first :data:`MOST` of its kind, is ``other``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from vivavoce import __version__

__all__ = ["MOST", "NOBODY", "OTHER", "Few", "Metrics"]

MOST: Final = 64
"""Codes of errors."""
NOBODY: Final = "none"
"""The agent of a session without one."""
OTHER: Final = "other"
SECONDS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
LAG: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
_STATUSES: Final = {"completed", "cancelled", "failed", "incomplete"}
_KINDS: Final = ("text", "audio", "image", "cached")


class Few:
    """The values of one label: those ``known``, or the first ``most`` that come."""

    def __init__(self, known: Iterable[str] = (), most: int = 0) -> None:
        self._known, self._most = set(known), most

    def __call__(self, value: str) -> str:
        if value not in self._known and len(self._known) < self._most:
            self._known.add(value)
        return value if value in self._known else OTHER


class Frames(Collector):
    """Whoever sees every frame adds to plain numbers: a counter's lock costs more than all else that is done with one.
    They belong to the event loop, as does who asks for them."""

    inward = outward = 0

    def collect(self) -> Iterator[Metric]:
        frames = CounterMetricFamily("vivavoce_frames", "Events of sessions, sound among them.", labels=["direction"])
        frames.add_metric(["in"], self.inward)
        frames.add_metric(["out"], self.outward)
        yield frames


class Metrics:
    """``agents`` and ``models`` are the names that labels may have. All sessions of this process are of one
    ``backend``."""

    def __init__(self, agents: Collection[str], models: Collection[str], backend: str) -> None:
        self.agent, self.model, self.code = Few([*agents, NOBODY]), Few(models), Few(most=MOST)
        self.backend = backend
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, help: str, *labels: str) -> Counter:
            return Counter(f"vivavoce_{name}", help, labels, registry=registry)

        def histogram(name: str, help: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
            return Histogram(f"vivavoce_{name}", help, labels, registry=registry, buckets=buckets)

        info = Gauge("vivavoce_info", "What runs.", ("version", "backend"), registry=registry)
        info.labels(__version__, backend).set(1)
        self.opened = counter("sessions_opened", "Sessions that began.", "transport", "backend", "agent")
        self.refusals = counter("sessions_refused", "Sessions that were refused.", "transport", "backend", "code")
        self.frames = Frames()
        self.register(self.frames)
        self.turns = counter("turns", "Times that users were heard out.", "agent")
        self.first_audio = histogram(
            "first_audio_seconds", "From a user's last sound to the first of the answer.", "transport", "agent"
        )
        self.stages = histogram("stage_seconds", "What each stage added to that.", "stage")
        self.responses = counter("responses", "Answers.", "status", "agent", "model")
        self.tokens = counter("tokens", "Tokens of answers, and of plain requests.", "direction", "kind", "model")
        self.dollars = counter("dollars", "What was used has cost, where prices are known.", "agent", "model")
        self.errors = counter("errors", "Errors that clients were told.", "code")
        self.tools = counter("tool_calls", "Calls of tools: functions of clients, tools of MCP servers or of this "
                             "server.", "kind", "outcome")  # fmt: skip
        self.lag = histogram("loop_lag_seconds", "How late the event loop woke, ten times a second.", buckets=LAG)

    def register(self, collector: Collector) -> None:
        """What is counted when it is asked for."""
        self.registry.register(collector)

    def refused(self, transport: str, error: Exception) -> None:
        body = getattr(error, "body", None)
        code = body.get("code") if isinstance(body, dict) else getattr(error, "code", None)
        told = self.code(code if isinstance(code, str) else type(error).__name__)
        self.refusals.labels(transport, self.backend, told).inc()

    def answered(self, status: object, agent: str, model: str, usage: Mapping[str, Any]) -> None:
        """One answer, of a session or to a plain request: its labels are those that :attr:`agent` and :attr:`model`
        gave, ``usage`` is as the Realtime API tells it, or empty."""
        known = isinstance(status, str) and status in _STATUSES
        self.responses.labels(status if known else OTHER, agent, model).inc()
        self.used(model, usage)

    def used(self, model: str, usage: Mapping[str, Any]) -> None:
        """Tokens, where it tells of tokens."""
        for direction in ("input", "output"):
            details = usage.get(f"{direction}_token_details")
            counts = details if isinstance(details, Mapping) else {}
            for kind in _KINDS:
                if isinstance(count := counts.get(f"{kind}_tokens"), int) and count > 0:
                    self.tokens.labels(direction, kind, model).inc(count)

    @contextmanager
    def opening(self, transport: str) -> Iterator[None]:
        """An exception that comes out of the context is a refusal."""
        try:
            yield
        except Exception as error:
            self.refused(transport, error)
            raise

    def scrape(self, accept: str) -> tuple[bytes, str]:
        """All of them, as text, and its media type; OpenMetrics for who accepts it."""
        encode, media = choose_encoder(accept)
        return encode(self.registry), media
