"""``GET /metrics``, for Prometheus: for whoever may manage, and, where the owner said so, for this machine."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.access.agents import Agents
from vivavoce.access.loopback import is_loopback
from vivavoce.access.prices import Prices
from vivavoce.backends.interface import Backend, Relays
from vivavoce.server.entrance import address
from vivavoce.server.service import Service, bearer
from vivavoce.sessions.metrics import Metrics

__all__ = ["metrics", "metrics_of", "observe_now"]

PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip")
"""What a proxy adds: then the request is no neighbour's, though it came from this machine."""
TRANSPORTS = ("websocket", "webrtc", "plain")


async def metrics(service: Service, request: Request) -> Response:
    """Raises :class:`Refused`."""
    if not (service.options.open_metrics and _is_a_neighbour(request)):
        await service.gate.enter_with_standard_key(bearer(request), "manage")
    body, media = service.metrics.scrape(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": media, "Cache-Control": "no-store"})


def _is_a_neighbour(request: Request) -> bool:
    return is_loopback(address(request)) and not any(name in request.headers for name in PASSED_ON)


def metrics_of(agents: Agents, prices: Prices, model: str, backend: Backend) -> Metrics:
    """Empty ones. The names of models that labels may have are those that the owner, or the price list, wrote down."""
    named = [str(agent.session["model"]) for agent in agents if agent.session.get("model")]
    answers = "upstream" if isinstance(backend, Relays) else "builtin"
    return Metrics([agent.name for agent in agents], [model, *named, *prices], answers)


def observe_now(service: Service) -> None:
    """What is looked at when somebody asks."""
    service.metrics.register(_Now(service))


class _Now(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        live = GaugeMetricFamily("vivavoce_sessions_live", "Sessions.", labels=("transport", "backend"))
        for transport in TRANSPORTS:
            live.add_metric((transport, self._service.metrics.backend), self._service.registry.count(kind=transport))
        yield live
        yield from self._room()
        parked = len(self._service.parking)
        yield GaugeMetricFamily("vivavoce_sessions_parked", "Sessions that wait for their clients.", parked)
        store = self._service.store
        backlog = store.ledger.waiting + store.database.waiting
        yield GaugeMetricFamily(
            "vivavoce_store_backlog", "Sessions and transactions that wait for the database.", backlog
        )

    def _room(self) -> Iterator[Metric]:
        registry = self._service.registry
        capacity = registry.capacity
        yield GaugeMetricFamily("vivavoce_sessions_limit", "Sessions at most.", capacity.limit)
        load = capacity.load(len(registry))
        yield GaugeMetricFamily("vivavoce_load_ratio", "Where this process is measured: at 1 it is full.", load)
        yield GaugeMetricFamily("vivavoce_loop_busy_ratio", "Of a processor, over ten seconds.", capacity.busy)
        # A gauge would miss what is shorter than the time between two looks.
        yield CounterMetricFamily("vivavoce_full", "Times that it became full by measuring.", capacity.times_full)
