"""What the orb shows and does, event by event, with the test itself on the answering side."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.e2e.browser import OrbPage
from tests.e2e.events import answer, event, finished, question
from tests.support.backends import ScriptedBackend
from tests.support.lines import MemoryLine
from tests.support.serving import Served, serving
from vivavoce.backends.interface import BackendError
from vivavoce.protocol.frame import Frame
from vivavoce.server.options import ServerOptions

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

WEBSOCKET = ServerOptions(transport="websocket")


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


@pytest_asyncio.fixture(loop_scope="module")
async def served(backend: ScriptedBackend) -> AsyncIterator[Served]:
    async with serving(backend, WEBSOCKET) as served:
        yield served


async def sent(line: MemoryLine, type_: str) -> Frame:
    """The next frame of this type that the page sent."""
    while (frame := await line.next_sent()).type != type_:
        pass
    return frame


async def test_a_turn_in_states_words_and_captions(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await expect(orb.status).to_have_text("Tap to speak")
    await expect(orb.button).to_have_attribute("aria-pressed", "false")
    box = await orb.button.bounding_box()

    await orb.start()
    line = await backend.next_opened()
    await expect(orb.button).to_have_attribute("title", "Stop voice")
    await expect(orb.button).to_have_attribute("aria-pressed", "true")
    await expect(orb.status).to_have_text("Listening… (tap to end)")
    await expect(orb.orb.locator(".dot")).to_be_visible()

    first, stopped, *rest = question("what time is it in london")
    line.arrive(first)
    await orb.becomes("user-speaking")
    line.arrive(stopped, *rest)
    await orb.becomes("thinking")
    await expect(orb.status).to_have_text("Thinking… (tap to end)")
    await expect(orb.status.locator("svg")).to_have_attribute("data-icon", "thinking")
    await expect(orb.captions).to_contain_text("what time is it in london")

    line.arrive(*answer("It is noon.", 1500))
    await orb.becomes("speaking")
    await orb.hears(0.1)
    await expect(orb.status).to_have_text("Speaking… (tap to end)")
    line.arrive(*finished("It is noon."))
    await orb.becomes("listening")
    await expect(orb.captions.locator("[data-role=assistant]")).to_contain_text("It is noon.")
    await expect(orb.status).to_have_text("Listening… (tap to end)")
    assert await orb.button.bounding_box() == box

    await orb.click()
    await expect(orb.status).to_have_text("Tap to speak")
    await orb.nothing_is_open()
    assert not orb.errors


async def test_words_appear_as_they_are_spoken(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    line = await backend.next_opened()
    text = "One two three four five six seven eight nine ten."
    line.arrive(*answer(text, 3000), *finished(text))
    await orb.becomes("speaking")
    caption = orb.captions.locator("[data-role=assistant]")
    await expect(caption).to_contain_text("One")
    assert "ten" not in await caption.inner_text()
    await expect(caption).to_contain_text("ten.")
    await expect(caption).to_have_attribute("data-final", "true")


async def test_speaking_over_the_answer_silences_it_and_says_what_was_heard(
    orb: OrbPage, served: Served, backend: ScriptedBackend
):
    await orb.open(served.http)
    await orb.start()
    line = await backend.next_opened()
    line.arrive(*answer("A long story about a very long river that flows on and on.", 10_000))
    await orb.hears()
    line.arrive(event("input_audio_buffer.speech_started", item_id="item_q", audio_start_ms=0))
    await orb.hush()
    truncate = await sent(line, "conversation.item.truncate")
    assert truncate.data["item_id"] == "item_a"
    assert truncate.data["content_index"] == 0
    assert 20 <= truncate.data["audio_end_ms"] < 3000
    caption = orb.captions.locator("[data-role=assistant]")
    await expect(caption).to_contain_text("interrupted")
    await expect(caption).not_to_contain_text("on and on")
    await orb.becomes("user-speaking")


async def test_escape_silences_then_ends(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    line = await backend.next_opened()
    line.arrive(*answer("A long story about a river.", 10_000))
    await orb.hears()
    await orb.page.keyboard.press("Escape")
    await sent(line, "response.cancel")
    truncate = await sent(line, "conversation.item.truncate")
    assert truncate.data["audio_end_ms"] < 3000
    # What was still on its way is not played.
    line.arrive(*answer("", 3000)[2:])
    await orb.hush()
    line.arrive(*finished("", "cancelled"))
    await orb.becomes("listening")
    await orb.page.keyboard.press("Escape")
    await orb.becomes("idle")
    await orb.nothing_is_open()


async def test_a_click_ends_a_session_that_speaks(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    line = await backend.next_opened()
    line.arrive(*answer("A long story.", 10_000))
    await orb.becomes("speaking")
    await orb.click()
    await orb.becomes("idle")
    await orb.nothing_is_open()


async def test_a_click_ends_a_session_that_is_connecting(orb: OrbPage, served: Served):
    await orb.open(served.http)
    await orb.page.route("**/client_secrets", lambda _route: None)  # never answers
    await orb.start("connecting")
    await expect(orb.status).to_have_text("Connecting… (tap to end)")
    await orb.click()
    await orb.becomes("idle")
    await orb.nothing_is_open()


async def test_a_microphone_granted_too_late_is_released(orb: OrbPage, served: Served):
    await orb.open(served.http)
    await orb.page.evaluate("() => { __probe.hold = new Promise((go) => (__probe.grant = go)) }")
    await orb.start("requesting-mic")
    await orb.click()
    await orb.becomes("idle")
    await orb.page.evaluate("__probe.grant()")
    await orb.page.wait_for_function("__probe.opened.tracks.length === 1")
    await orb.nothing_is_open()


async def test_typing_needs_no_microphone(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.page.get_by_placeholder("Type instead…").fill("hello there")
    await orb.page.keyboard.press("Enter")
    line = await backend.next_opened()
    item = (await sent(line, "conversation.item.create")).data["item"]
    assert item["content"] == [{"type": "input_text", "text": "hello there"}]
    await sent(line, "response.create")
    await expect(orb.status).to_have_text("Ready for your words (tap to end)")
    line.arrive(event("conversation.item.added", item={"id": "item_t", **item}))
    await expect(orb.captions).to_contain_text("hello there")
    assert (await orb.opened())["tracks"] == 0
    await orb.click()
    await orb.becomes("idle")
    await orb.nothing_is_open()


async def test_mute_keeps_the_session_and_gives_it_nothing_to_hear(orb: OrbPage, served: Served):
    await orb.open(served.http)
    await orb.start()
    await orb.orb.get_by_title("Mute the microphone").click()
    await expect(orb.status).to_have_text("Muted (tap to end)")
    assert await orb.page.evaluate("__probe.opened.tracks.every((track) => !track.enabled)")
    await orb.orb.get_by_title("Unmute the microphone").click()
    await expect(orb.status).to_have_text("Listening… (tap to end)")
    assert await orb.page.evaluate("__probe.opened.tracks.every((track) => track.enabled)")


async def test_leaving_the_page_releases_everything(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    await backend.next_opened()
    await orb.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    await orb.becomes("idle")
    await orb.nothing_is_open()


async def test_another_page_ends_the_session_on_the_server(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    live = served.service.registry.find(backend.requests[0].session_id)
    assert live
    await orb.page.goto("about:blank")
    await asyncio.wait_for(live.gone.wait(), 10)


async def test_a_removed_orb_releases_everything_and_can_come_back(orb: OrbPage, served: Served):
    await orb.open(served.http)
    await orb.start()
    await orb.page.evaluate("window.kept = document.querySelector('voice-orb'); kept.remove()")
    await orb.nothing_is_open()
    await orb.page.evaluate("document.querySelector('main').append(kept)")
    await orb.start()


async def test_a_broken_connection_is_made_again(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    await backend.next_opened()
    await orb.page.evaluate(
        "() => { const [socket] = __probe.opened.sockets; socket.onclose({ code: 1006, reason: '' }); socket.close(); }"
    )
    await orb.becomes("reconnecting")
    await orb.becomes("listening")
    await backend.next_opened()
    assert (await orb.opened())["tracks"] == 1  # the same microphone


async def test_a_session_that_the_server_ends_says_so(orb: OrbPage, served: Served, backend: ScriptedBackend):
    await orb.open(served.http)
    await orb.start()
    line = await backend.next_opened()
    line.hang_up(4000, "session_expired")
    await orb.becomes("error")
    await expect(orb.alert).to_contain_text("The voice server ended the conversation.")
    await expect(orb.status).to_have_text("Tap to speak")
    await orb.nothing_is_open()


async def test_a_refusal_is_told_in_the_servers_words(orb: OrbPage):
    refused = ScriptedBackend(failing=BackendError.of(401, "The key of the server is wrong."))
    async with serving(refused, WEBSOCKET) as served:
        await orb.open(served.http)
        await orb.start("error")
        await expect(orb.alert).to_contain_text("The key of the server is wrong.")
        await orb.nothing_is_open()


async def test_one_who_is_not_let_in_is_not_let_in_another_way(orb: OrbPage, backend: ScriptedBackend):
    async with serving(backend) as served:
        await orb.open(served.http)

        async def refuse(route: Route) -> None:
            await route.fulfill(status=403, json={"error": {"message": "This key has been used up."}})

        await orb.page.route("**/v1/realtime/calls*", refuse)
        await orb.start("error")
        await expect(orb.alert).to_have_text("The voice server refused. This key has been used up. Tap to try again.")
        assert (await orb.opened())["sockets"] == 0


async def test_a_server_without_webrtc_is_reached_over_a_websocket(orb: OrbPage, backend: ScriptedBackend):
    async with serving(backend) as served:
        await orb.open(served.http)
        await orb.page.route("**/v1/realtime/calls*", lambda route: route.fulfill(status=501))
        await orb.start()
        assert (await orb.opened())["sockets"] == 1


async def test_a_server_that_is_down_is_named(orb: OrbPage, served: Served):
    await orb.open(served.http)
    await orb.page.route("**/client_secrets", lambda route: route.abort())
    await orb.start("error")
    await expect(orb.alert).to_contain_text("The voice server cannot be reached.")
    await orb.nothing_is_open()


@pytest.mark.parametrize(
    ("name", "message", "words"),
    [
        ("NotAllowedError", "Permission denied", "The microphone is blocked."),
        ("NotAllowedError", "Permission dismissed", "The question about the microphone was closed."),
        ("NotAllowedError", "Permissions policy violation", 'Its frame needs allow="microphone".'),
        ("NotFoundError", "Requested device not found", "No microphone was found."),
        ("NotReadableError", "Could not start audio source", "in use by another program"),
    ],
)
async def test_no_microphone_is_told_in_plain_words(orb: OrbPage, served: Served, name: str, message: str, words: str):
    await orb.open(served.http)
    await orb.page.evaluate("refuse => { __probe.refuse = refuse }", {"name": name, "message": message})
    await orb.start("error")
    await expect(orb.alert).to_contain_text(words)
    await expect(orb.button).to_have_attribute("title", "Start voice")
    await orb.nothing_is_open()


async def test_captions_are_asked_for_when_the_key_did_not(orb: OrbPage, served: Served, backend: ScriptedBackend):
    """The key of an app's own server, in the shape of 2024, which knows nothing of our wishes."""

    async def mint(route: Route) -> None:
        minted = await route.fetch(url=f"{served.http}/v1/realtime/client_secrets", post_data="{}")
        await route.fulfill(json={"client_secret": await minted.json()})

    await orb.open(served.http)
    await orb.set(token_url="/mine")
    await orb.page.route("**/mine", mint)
    await orb.start()
    update = await sent(await backend.next_opened(), "session.update")
    assert update.data["session"]["type"] == "realtime"
    assert update.data["session"]["audio"]["input"]["transcription"]["model"]
