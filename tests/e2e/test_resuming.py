"""A page that is cut off in the middle of an answer hears the rest of it, and the conversation goes on."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.browser import OrbPage
from tests.e2e.events import answer, finished, question
from tests.e2e.test_states import sent
from tests.support.backends import ScriptedBackend
from tests.support.faulty_proxy import faulty
from tests.support.serving import serving
from vivavoce.server.options import ServerOptions

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PARKS = ServerOptions(transport="websocket", park_seconds=30)


async def test_one_that_is_cut_off_comes_back_to_the_same_conversation(orb: OrbPage) -> None:
    backend = ScriptedBackend()
    async with serving(backend, PARKS) as served, faulty(served.port) as proxy:
        await orb.open(f"http://127.0.0.1:{proxy.port}")
        await orb.start()
        line = await backend.next_opened()
        line.arrive(*question("what time is it in london"))
        line.arrive(*answer("It is three", 1000))
        await orb.becomes("speaking")
        proxy.cut()
        line.arrive(*answer(" in the afternoon.", 1000)[1:], *finished("It is three in the afternoon."))  # to nobody
        await orb.becomes("reconnecting")
        await orb.becomes("listening", "speaking", "thinking")
        await expect(orb.captions.locator("[data-role=assistant]")).to_have_text(
            re.compile("It is three in the afternoon.")
        )
        await orb.becomes("listening")

        await orb.page.get_by_placeholder("Type instead…").fill("And in Paris?")
        await orb.page.get_by_title("Send").click()
        assert (await sent(line, "conversation.item.create")).data["item"]["content"][0]["text"] == "And in Paris?"
        assert backend.opened.empty(), "a second session was begun"
        await orb.click()
        await orb.nothing_is_open()
        assert not orb.errors
