"""What doctor is told of an upstream that is well, and of each that is not."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.support.backends import ScriptedBackend
from tests.support.faulty_proxy import FaultyProxy, faulty
from tests.support.leaks import no_leaks
from tests.support.serving import serving
from vivavoce.backends.upstream.api import Answer, Api
from vivavoce.backends.upstream.check import Finding, check_upstream
from vivavoce.backends.upstream.patience import Patience
from vivavoce.server.options import ServerOptions

KEY = "0123-the-upstreams-key-4567"


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks(sockets=True):
        yield


@asynccontextmanager
async def upstream() -> AsyncIterator[FaultyProxy]:
    async with serving(ScriptedBackend(), ServerOptions(api_keys=(KEY,))) as theirs, faulty(theirs.port) as proxy:
        yield proxy


async def check(url: str, key: str = KEY, models: Sequence[str] = ("gpt-x",)) -> dict[str, Finding]:
    patience = Patience(answer=0.3, pause=0)
    found = await check_upstream(url, key, key_name="OUR_KEY", models=models, now=time.time, patience=patience)
    assert not [finding for finding in found if key in finding.words]
    return {finding.matter: finding for finding in found}


async def test_one_that_is_well():
    async with upstream() as proxy:
        found = await check(proxy.url)
    assert (found["reachable"].good, found["key"].good, found["clock"].good) == (True, True, True)
    assert "OUR_KEY is accepted" in found["key"].words


async def test_nobody_there():
    async with upstream() as proxy:
        await proxy.refuse()
        found = await check(proxy.url)
    assert list(found) == ["reachable"]
    assert (found["reachable"].good, "Check the network" in found["reachable"].words) == (False, True)


async def test_one_that_does_not_answer():
    async with upstream() as proxy:
        proxy.stall()
        found = await check(proxy.url)
    assert (found["reachable"].good, "did not answer within 0.3 s" in found["reachable"].words) == (False, True)


async def test_a_key_that_is_refused():
    async with upstream() as proxy:
        found = await check(proxy.url, "sk-wrong-one")
    assert (found["reachable"].good, found["key"].good) == (True, False)
    assert "Set OUR_KEY to a valid key" in found["key"].words


async def test_something_else_lives_at_the_address():
    async with upstream() as proxy:
        found = await check(proxy.url + "/elsewhere")
    assert (found["reachable"].good, "no Realtime API" in found["reachable"].words) == (False, True)


async def test_a_failure_of_its_own_says_nothing_of_the_key():
    async with upstream() as proxy:
        proxy.answer(500)
        found = await check(proxy.url)
    assert (found["reachable"].good, found["key"].good) == (True, None)


@pytest.mark.parametrize(("seconds", "words"), [(90, "behind the upstream's"), (-90, "ahead of the upstream's")])
async def test_clocks_that_differ(seconds, words):
    async with upstream() as proxy:
        proxy.skew(seconds)
        clock = (await check(proxy.url))["clock"]
    assert (clock.good, words in clock.words, "NTP" in clock.words) == (False, True, True)


@pytest.mark.parametrize(
    ("listed", "good", "words"),
    [
        ('{"data": [{"id": "gpt-x"}]}', True, "It has gpt-x."),
        ('{"data": [{"id": "gpt-realtime-9"}, {"id": "gpt-y"}]}', False, "It has gpt-realtime-9. Choose one"),
        ('{"data": []}', False, "none that sounds like"),
        ('{"data": 1}', None, "does not say"),
        ("<html>", None, "does not say"),
    ],
)
async def test_the_models_it_has(monkeypatch, listed, good, words):
    async def ask(self: Api, method: str, path: str, *rest: object, **body: object) -> Answer:
        return Answer(listed if path == "/models" else "{}", {})

    monkeypatch.setattr(Api, "ask", ask)
    found = await check("http://127.0.0.1:1/v1")
    assert (found["model"].good, words in found["model"].words) == (good, True)
    assert found["clock"].good is None
