"""/metrics: what is counted, who may read it, and labels that nobody can blow up."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.attack.house import GIVEN, House, bearer, event, house
from tests.support.agents import agent
from vivavoce.access.agents import Agents
from vivavoce.access.prices import Price, Prices
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server.options import ServerOptions
from vivavoce.sessions.metrics import MOST, Few, Metrics

PRICES = Prices({"gpt-x": Price(text_out=Decimal(1_000_000))})
USAGE = {
    "input_token_details": {"text_tokens": 4, "audio_tokens": 30, "cached_tokens": 2},
    "output_token_details": {"text_tokens": 3, "audio_tokens": 0},
}


@pytest.fixture
async def at() -> AsyncIterator[House]:
    async with house(agents=Agents({"blue": agent()}), prices=PRICES) as at:
        yield at


async def numbers(at: House) -> dict[tuple[str, frozenset[str]], float]:
    """Each by its name and the values of its labels."""
    answer = await at.http.get("/metrics", headers=bearer(GIVEN))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("vivavoce_"), frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(found: dict[tuple[str, frozenset[str]], float], name: str, *labels: str) -> float:
    return sum(value for (called, values), value in found.items() if called == name and values >= set(labels))


def frame(type: str, **data: Any) -> Frame:
    return Frame(type, {"type": type, **data})


async def test_a_session_is_counted_from_its_beginning_to_its_end(at: House):
    async with connect(f"{at.served.ws}?model=gpt-x", additional_headers=bearer(GIVEN)) as socket:
        created = await event(socket)
        line = at.backend.lines[0]
        await socket.send('{"type":"input_audio_buffer.append","audio":"AQI="}')
        assert (await line.next_sent()).type == APPEND
        call = {"type": "mcp_call", "id": "item_3", "error": {"message": "no"}}
        line.arrive(
            frame("input_audio_buffer.committed", item_id="item_1"),
            Frame(AUDIO_DELTA, {"type": AUDIO_DELTA, "response_id": "resp_1"}, b"\0\0"),
            frame("response.output_item.done", item={"type": "function_call", "id": "item_2"}),
            frame("response.output_item.done", item=call),
            frame("response.done", response={"id": "resp_1", "status": "completed", "usage": USAGE}),
            frame("error", error={"code": "odd", "message": "odd"}),
        )
        while (await event(socket))["type"] != "error":
            pass
        live = at.served.service.registry.find(created["session"]["id"])
        assert live
        live.notices.tell("turn", total=640, stages={"decided": 500, "first_audio": 140})
        found = await numbers(at)
        assert of(found, "sessions_live", "websocket", "builtin") == 1
    for name, labels, value in (
        ("sessions_opened_total", ("websocket", "none"), 1),
        ("frames_total", ("in",), 1),
        ("frames_total", ("out",), 7),
        ("turns_total", (), 1),
        ("responses_total", ("completed", "gpt-x"), 1),
        ("tokens_total", ("input", "audio"), 30),
        ("tokens_total", ("input", "cached"), 2),
        ("tokens_total", ("output", "text"), 3),
        ("tokens_total", ("output", "audio"), 0),
        ("dollars_total", ("gpt-x",), 3),
        ("errors_total", ("odd",), 1),
        ("tool_calls_total", ("function_call", "completed"), 1),
        ("tool_calls_total", ("mcp_call", "failed"), 1),
        ("first_audio_seconds_sum", (), 0.64),
        ("stage_seconds_sum", ("decided",), 0.5),
    ):
        assert of(found, name, *labels) == pytest.approx(value), (name, labels)
    assert of(found, "sessions_limit") == ServerOptions().max_sessions
    looked_at = ("store_backlog", "sessions_parked", "loop_lag_seconds_count", "process_resident_memory_bytes")
    for name in (*looked_at, "load_ratio", "loop_busy_ratio", "full_total"):
        assert (name, frozenset()) in found


async def test_refusals_have_a_transport_and_a_reason(at: House):
    with pytest.raises(InvalidStatus):
        await connect(at.served.ws)
    assert (await at.place("vv_forged")).status_code == 401
    at.backend.failing = ProtocolError("invalid_model", "No.")
    async with connect(at.served.ws, additional_headers=bearer(GIVEN)) as socket:
        assert (await event(socket))["type"] == "error"
    found = await numbers(at)
    assert of(found, "sessions_refused_total", "websocket", "missing_api_key") == 1
    assert of(found, "sessions_refused_total", "webrtc", "invalid_api_key") == 1
    assert of(found, "sessions_refused_total", "websocket", "invalid_model") == 1


async def test_it_is_for_who_may_manage(at: House):
    key, _ = await at.key("connect", "mint")
    ephemeral = await at.ephemeral(GIVEN)
    for who, status in ((None, 401), (key, 403), (ephemeral, 403), (at.token("alice"), 403)):
        assert (await at.http.get("/metrics", headers=bearer(who))).status_code == status


async def test_the_owner_may_open_it_to_this_machine_and_to_nobody_behind_a_proxy():
    async with house(open_metrics=True) as at:
        assert (await at.http.get("/metrics")).status_code == 200
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert (await at.http.get("/metrics", headers={header: "127.0.0.1"})).status_code == 401


async def test_openmetrics_for_who_asks_for_it(at: House):
    accept = {"Accept": "application/openmetrics-text; version=1.0.0", **bearer(GIVEN)}
    answer = await at.http.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_names_that_strangers_make_up_are_one_label(at: House):
    for number in range(3):
        async with connect(f"{at.served.ws}?model=made-up-{number}", additional_headers=bearer(GIVEN)) as socket:
            await event(socket)
            at.backend.lines[-1].arrive(frame("response.done", response={"status": f"odd-{number}"}))
            await event(socket)
    found = await numbers(at)
    assert of(found, "responses_total", "other") == 3
    assert "made-up" not in str(found)
    assert "odd-" not in str(found)


def test_a_label_has_few_values():
    metrics = Metrics(["blue"], ["gpt-x"], "scripted")
    for number in range(MOST + 10):
        metrics.refused("websocket", Refusal(f"code_{number}"))
    assert len(next(iter(metrics.refusals.collect())).samples) <= 2 * (MOST + 1)
    few = Few(["a"])
    assert [few(name) for name in ("a", "b")] == ["a", "other"]


class Refusal(Exception):
    def __init__(self, code: str) -> None:
        self.code = code
