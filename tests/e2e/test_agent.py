"""The orb as an agent's: it is named in the tag, told of the page, and asked for nothing that its owner has fixed."""

import secrets

import pytest
from playwright.async_api import expect

from tests.e2e.browser import OrbPage
from tests.support.agents import agent
from tests.support.backends import ScriptedBackend
from tests.support.lines import MemoryLine
from tests.support.serving import serving
from vivavoce.access.agents import Agents
from vivavoce.access.shares import make_share
from vivavoce.access.tokens import hash_of
from vivavoce.access.turn import IceServers
from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.server.options import ServerOptions

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

WORDS = {"model": "whisper-1"}
BLUE = agent(
    session={"instructions": "On {page}.", "audio": {"input": {"transcription": WORDS}}}, greeting="Hello, I am Blue."
)


async def next_event(answerer: MemoryLine) -> Frame:
    """Past what the microphone says."""
    while (frame := await answerer.next_sent()).type == APPEND:
        pass
    return frame


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_the_tag_names_the_agent_and_tells_of_the_page(orb: OrbPage, transport: str):
    backend = ScriptedBackend()
    ice = IceServers(stun=("stun:127.0.0.1:9",))
    options = ServerOptions(agents=Agents({"blue": BLUE, "default": agent("default")}), ice=ice)
    async with serving(backend, options) as served:
        await orb.open(served.http)
        await orb.set(agent="blue", context="/cart", transport=transport)
        await orb.start()
        answerer = await backend.next_opened()
        config = backend.requests[0].config or {}
        assert '"/cart"' in config["instructions"]
        assert config["audio"]["input"]["transcription"] == WORDS
        assert "I am Blue" in (await next_event(answerer)).data["response"]["instructions"]
        await orb.set(context="/checkout")
        item = (await next_event(answerer)).data["item"]
        assert item["role"] == "system"
        assert '"/checkout"</page-context>' in item["content"][0]["text"]
        assert await orb.told("voice-error") == []
        offers = [request for request in orb.requests if "/v1/realtime/calls" in request]
        assert all("a=candidate" in offer for offer in offers)  # a server behind a relay has to know whom to let in
        assert bool(offers) == (transport == "webrtc")
        await orb.click()
        await orb.becomes("idle")
        await orb.nothing_is_open()


async def test_without_a_name_it_is_the_default_agent(orb: OrbPage):
    backend = ScriptedBackend()
    fixed = agent("default", session={"audio": {"input": {"transcription": WORDS}}})
    async with serving(backend, ServerOptions(agents=Agents({"default": fixed}))) as served:
        await orb.open(served.http)
        await orb.start()
        assert "swordfish" in (backend.requests[0].config or {})["instructions"]
        assert not any("swordfish" in each for each in orb.console)


async def test_who_comes_by_a_share_link_talks_without_a_key(orb: OrbPage):
    backend = ScriptedBackend()
    options = ServerOptions(agents=Agents({"blue": BLUE}), api_keys=("sk-the-owner-s",))
    async with serving(backend, options) as served:
        token, share = make_share(
            agent="blue", dollars=None, seconds=60, now=0, expires_at=None, random=secrets.token_bytes
        )
        await served.service.store.shares.add(share, hash_of(token))
        await orb.open(served.http)
        await expect(orb.page.get_by_text("To talk here you need a link.")).to_be_visible()
        await orb.start("error")
        await expect(orb.alert).to_contain_text("lets in those who have a link. Ask whoever runs it")
        await orb.page.goto("about:blank")
        await orb.open(f"{served.http}/#share={token}")
        await orb.start()
        assert (backend.requests[0].config or {})["instructions"].startswith("On <page-context>")
        assert not any(token in each for each in orb.console)
