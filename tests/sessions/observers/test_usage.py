"""A meter beside a stream: what it adds up, and when it stops the session."""

from decimal import Decimal
from typing import Any

from vivavoce.access.prices import Price, Prices
from vivavoce.protocol.frame import Frame
from vivavoce.sessions.filters import Stopped
from vivavoce.sessions.observers.usage import Meter, SessionBudget
from vivavoce.store.responses import Response

PRICES = Prices({"m": Price(text_out=Decimal(1_000_000)), "w": Price(minute=Decimal(6))})


def done(tokens: int) -> Frame:
    usage = {"output_tokens": tokens, "output_token_details": {"text_tokens": tokens, "audio_tokens": 0}}
    return Frame("response.done", {"type": "response.done", "response": {"usage": usage}})


def heard(seconds: int) -> Frame:
    usage = {"type": "duration", "seconds": seconds}
    return Frame("conversation.item.input_audio_transcription.completed", {"usage": usage})


def session(transcriber: str | None) -> Frame:
    transcription = {"model": transcriber} if transcriber else None
    return Frame("session.updated", {"session": {"audio": {"input": {"transcription": transcription}}}})


def metered(model: str = "m", *purses: SessionBudget) -> tuple[Meter, list[Stopped]]:
    stops: list[Stopped] = []
    return Meter(PRICES, model, purses=purses, stop=stops.append), stops


def test_responses_and_transcriptions_add_up():
    meter, stops = metered()
    for frame in (session("w"), done(2), heard(10), done(1), done(0)):
        meter.told(frame)
    assert meter.usd == 4
    assert meter.responses == 3
    assert stops == []


def test_a_failed_response_without_usage_costs_nothing():
    meter, _ = metered()
    meter.told(Frame("response.done", {"response": {"usage": None}}))
    assert meter.usd == 0


def test_the_session_is_stopped_once_when_a_purse_is_empty_and_everything_used_is_paid():
    budget = SessionBudget(Decimal(3))
    meter, stops = metered("m", budget)
    meter.told(done(2))
    assert stops == []
    meter.told(done(1))
    meter.told(done(1))
    assert [(stop.code, stop.reason) for stop in stops] == [(4000, "insufficient_quota.budget_exceeded")]
    assert budget.left == -1
    assert meter.usd == 4


def test_every_purse_pays_even_beside_an_empty_one():
    first, second = SessionBudget(Decimal(1)), SessionBudget(Decimal(100))
    meter, stops = metered("m", first, second)
    meter.told(done(5))
    assert [first.left, second.left] == [Decimal(-4), Decimal(95)]
    assert len(stops) == 1


def test_what_has_no_known_price_is_said_so_and_no_purse_pays_it_unseen():
    meter, stops = metered("unlisted")
    meter.told(done(1))
    assert meter.usd is None
    assert stops == []
    meter, stops = metered("m", SessionBudget(Decimal(100)))
    meter.told(session("unlisted"))
    meter.told(heard(1))
    assert stops[0].error.code == "price_unknown"
    assert "'unlisted'" in stops[0].error.message


def test_each_answer_and_each_transcription_is_told_with_its_price_and_who_gave_it():
    charged: list[Response] = []
    agent = "blue"
    meter = Meter(PRICES, "m", stop=print, charged=charged.append, agent=lambda: agent, now=lambda: 7.0)
    created = Frame("response.created", {"response": {"id": "resp_1"}})
    for frame in (session("w"), created):
        meter.told(frame)
    agent = "red"  # it hands over with the end of its answer, which is blue's still
    ended: dict[str, Any] = {"id": "resp_1", "status": "cancelled", "usage": {"output_tokens": 2}}
    meter.told(Frame("response.done", {"response": ended}))
    meter.told(Frame("response.done", {"response": {"id": "resp_2", "status": "failed", "usage": None}}))
    meter.told(Frame(heard(10).type, {**heard(10).data, "item_id": "item_1"}))
    assert charged == [
        Response(
            id="resp_1", model="m", ended_at=7.0, status="cancelled", agent="blue", usd=Decimal(2), usage=ended["usage"]
        ),
        Response(id="resp_2", model="m", ended_at=7.0, status="failed", agent="blue"),
        Response(
            id="item_1", kind="transcription", model="w", ended_at=7.0, agent="blue", usd=Decimal(1),
            usage={"type": "duration", "seconds": 10},
        ),
    ]  # fmt: skip


def test_what_has_no_known_price_is_told_without_one():
    charged: list[Response] = []
    Meter(PRICES, "unheard of", stop=print, charged=charged.append).told(done(1))
    assert [response.usd for response in charged] == [None]
