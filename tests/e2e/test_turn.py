"""The main job in a real browser: a question said into the microphone, its caption, the answer's caption and sound."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.e2e.browser import OrbPage
from tests.support.process import serve

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.models,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.realtime,
]

SILENCE_MS = 200
"""That ends a turn, by default."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One for all: it is a process of its own, and a conversation leaves nothing in it."""
    async with serve(tmp_path_factory.mktemp("server"), "--port", "0") as process:
        yield await process.address()


async def ask_the_time(orb: OrbPage, *, timed: bool = False) -> None:
    """A click, a spoken question, its answer in words and sound, on request where the time went, and a click that
    releases everything."""
    if timed:
        await orb.page.get_by_label("Show timing").check()
    box = await orb.button.bounding_box()
    await orb.start()
    await orb.say("time_in_london.wav")
    await expect(orb.captions.locator("[data-role=user]")).to_contain_text("time", timeout=15_000)
    assert await orb.hears() > 0.01
    assert await orb.button.bounding_box() == box
    answer = orb.captions.locator("[data-role=assistant]")
    await expect(answer).to_contain_text("London", timeout=15_000)
    await orb.becomes("listening", timeout=30)
    await expect(answer).to_have_attribute("data-final", "true")
    await expect(orb.timing).to_have_count(1 if timed else 0)
    if timed:
        *stages, total = [int(it.split()[0]) for it in await orb.timing.locator("b").all_inner_texts()]
        assert len(stages) == 6
        assert sum(stages) == total
        assert total >= SILENCE_MS
    await orb.click()
    await orb.becomes("idle")
    await orb.nothing_is_open()
    assert await orb.button.bounding_box() == box
    assert not orb.errors
    assert not [line for line in orb.console if line.startswith("error")]


async def test_over_webrtc(orb: OrbPage, server: str):
    await orb.open(server)
    await ask_the_time(orb, timed=True)
    opened = await orb.opened()
    assert opened["peers"] == 1
    assert opened["sockets"] == 0
    asked = await orb.page.evaluate("__probe.asked.audio")
    assert asked["echoCancellation"] is True
    assert asked["noiseSuppression"] is True


async def test_over_a_websocket(orb: OrbPage, server: str):
    await orb.open(server)
    await orb.set(transport="websocket")
    await ask_the_time(orb, timed=True)
    opened = await orb.opened()
    assert opened["peers"] == 0
    assert opened["sockets"] == 1


async def test_over_a_websocket_when_webrtc_does_not_connect(orb: OrbPage, server: str):
    async def without_candidates(route: Route) -> None:
        """The answer of a server that no packet of ours can reach."""
        answer = await route.fetch()
        sdp = re.sub(r"a=candidate:.*\r\n", "", await answer.text())
        await route.fulfill(response=answer, body=sdp)

    await orb.open(server)
    await orb.page.route("**/v1/realtime/calls*", without_candidates)
    await ask_the_time(orb)
    assert await orb.opened() == {"peers": 1, "sockets": 1, "tracks": 1, "contexts": 1}  # one microphone for both
    # The next conversation does not try what did not work.
    await orb.start()
    assert (await orb.opened())["peers"] == 1


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_speaking_over_a_long_answer_silences_it(orb: OrbPage, server: str, transport: str):
    await orb.open(server)
    await orb.set(transport=transport)
    await orb.start()
    await orb.say("long_story.wav")
    await orb.hears()
    await orb.page.evaluate("() => { window.hushed = __probe.hush(0.01, 300) }")
    await orb.say("stop_please.wav")
    await expect(orb.captions).to_contain_text("interrupted", timeout=10_000)
    await orb.page.evaluate("hushed")


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_a_typed_question_is_answered_aloud_without_a_microphone(orb: OrbPage, server: str, transport: str):
    await orb.open(server)
    await orb.set(transport=transport)
    await orb.page.get_by_placeholder("Type instead…").fill("What is twelve times seven?")
    await orb.page.get_by_title("Send").click()
    assert await orb.hears() > 0.01
    await expect(orb.captions).to_contain_text("What is twelve times seven?")
    await expect(orb.captions.locator("[data-role=assistant]")).to_contain_text("84")
    assert await orb.page.evaluate("__probe.asked") is None
    await orb.click()
    await orb.becomes("idle")
    await orb.nothing_is_open()


async def test_each_conversation_has_a_fresh_key_and_no_other(orb: OrbPage, server: str):
    await orb.open(server)
    for _ in range(2):
        await orb.start()
        await orb.click()
        await orb.becomes("idle")
    minted = [request for request in orb.requests if "/client_secrets" in request]
    assert len(minted) == 2
    assert all('"seconds":60' in request for request in minted)
