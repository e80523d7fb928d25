"""What stands in the stream of a session: its agent's filters, the meter of what it costs, and its limits."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.service import Service
from vivavoce.server.v1.record import begun, record_of
from vivavoce.server.v1.recording import recorders
from vivavoce.server.v1.wish import Wanted
from vivavoce.sessions.bench import Bench
from vivavoce.sessions.filters import Asides, Filter, Observer, Stopped
from vivavoce.sessions.handoff import Handoff
from vivavoce.sessions.live import Live
from vivavoce.sessions.observers.held import Held
from vivavoce.sessions.observers.measured import Measured
from vivavoce.sessions.observers.turns import Turns
from vivavoce.sessions.observers.usage import Costs, Meter, Purse, SessionBudget
from vivavoce.sessions.opening import Opening
from vivavoce.sessions.persona import Persona
from vivavoce.sessions.policy import Discretion, Policy
from vivavoce.sessions.tools import Tools
from vivavoce.tools.interface import Caller

__all__ = ["Steering", "steer", "told"]


class Steering(NamedTuple):
    filters: Sequence[Filter]
    observers: Sequence[Observer]
    asides: Asides
    meter: Meter


def steer(service: Service, live: Live, wanted: Wanted) -> Steering:
    """For :meth:`Live.run`. Raises :class:`ProtocolError` where somebody has to pay and nobody knows how much."""
    asides = Asides()
    agent = wanted.persona.agent if wanted.persona else None
    purses: list[Purse] = [live.account] if live.account else []
    if agent and agent.budget_usd is not None:
        purses.append(SessionBudget(agent.budget_usd - (wanted.goes_on.usd if wanted.goes_on else 0)))
    if any(purse.limited for purse in purses):
        _check_price(service, wanted)
    if agent and agent.max_minutes is not None:
        words = f"A conversation with this agent lasts {agent.max_minutes:g} minutes at most."
        left = agent.max_minutes * 60 - (wanted.goes_on.seconds if wanted.goes_on else 0)
        live.end_after(max(0.0, left), Stopped(ProtocolError("session_expired", words)))
    beginning = begun(service, live, wanted)
    record = record_of(service, live, wanted, beginning)
    meter = Meter(
        service.options.prices,
        wanted.request.model,
        purses=purses,
        stop=live.end,
        charged=record.charged,
        agent=lambda: wanted.agent,
        now=service.now,
    )
    live.meter = meter
    filters = [Discretion()] if wanted.persona is None else _filters(service, live, wanted, wanted.persona, asides)
    live.names.add(wanted.request.session_id)
    live.notices.tell("session", id=wanted.request.session_id)
    turns = Turns(live.notices, time.monotonic, told=service.backend.keeps_time)
    watching: list[Observer] = [meter, Costs(meter, live.notices), turns, record]
    measured = Measured(service.metrics, live.kind, wanted.agent, wanted.request.model, lambda: meter.usd)
    live.notices.watch(measured.noticed)
    watching.append(measured)
    if not wanted.request.media:
        watching.append(Held(live.notices))
    watching += recorders(service, live, wanted, beginning)
    return Steering(filters, watching, asides, meter)


def told(wanted: Wanted) -> str:
    """What the log says of a session at its beginning."""
    return f"kind={wanted.request.kind} model={wanted.request.model!r} agent={wanted.agent or '-'}"


def _check_price(service: Service, wanted: Wanted) -> None:
    """A budget can only be held where prices are known. Raises :class:`ProtocolError`."""
    if service.options.prices.find(wanted.request.model) is None:
        words = (
            f"This session has a budget, and what '{wanted.request.model}' costs is not known here. The owner of this "
            "server can write it down under [prices] in vivavoce.toml."
        )
        raise ProtocolError("price_unknown", words, type="server_error")


def _filters(service: Service, live: Live, wanted: Wanted, persona: Persona, asides: Asides) -> list[Filter]:
    new_id = service.new_event
    bench = Bench(asides)
    live.beside.append(bench.run)

    def caller() -> Caller:
        return Caller(
            session=wanted.request.session_id, owner=live.owner, agent=persona.agent.name, context=persona.context
        )

    return [
        Policy(persona),
        *([] if wanted.goes_on else [Opening(persona, asides, new_id)]),
        Handoff(persona, asides, new_id),
        Tools(persona, caller, bench, asides, new_id, media=wanted.request.media),
    ]
