"""The orb on somebody else's page: another origin, a strict policy, a frame, a page that is not secure."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.browser import OrbPage
from tests.support.backends import ScriptedBackend
from tests.support.serving import serving
from vivavoce.server.options import ServerOptions

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SITE = "https://app.example"
LISTED = ServerOptions(allow_origins=(SITE,))


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


async def host(page: Page, server: str, body: str) -> None:
    """Puts a page at SITE, under a policy as strict as lets the orb in."""
    sockets = server.replace("http", "ws")
    policy = f"default-src 'none'; script-src {server}; connect-src {server} {sockets}; frame-src {server}"

    async def answer(route: Route) -> None:
        html = f"<!doctype html><title>Their page</title>{body}"
        await route.fulfill(body=html, content_type="text/html", headers={"Content-Security-Policy": policy})

    await page.route(f"{SITE}/", answer)
    # What Chromium asks once before a site may speak to a server on this machine.
    await page.context.grant_permissions(["local-network-access"], origin=SITE)


def embedded(server: str, attributes: str = "") -> str:
    return f'<script src="{server}/orb.js" async></script><voice-orb {attributes}></voice-orb>'


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_on_a_listed_site_under_a_strict_policy(orb: OrbPage, backend: ScriptedBackend, transport: str):
    async with serving(backend, LISTED) as served:
        tag = embedded(served.http, f'transport="{transport}" label="Ask the gardener" voice="marin"')
        await host(orb.page, served.http, tag)
        await orb.open(SITE)
        await expect(orb.status).to_have_text("Ask the gardener")
        await orb.start()
        assert (await orb.opened())["peers"] == (transport == "webrtc")
        await orb.click()
        await orb.becomes("idle")
        await orb.nothing_is_open()
    [request] = backend.requests
    assert request.config
    assert request.config["audio"]["output"]["voice"] == "marin"
    assert not [line for line in orb.console if "Content Security Policy" in line]


async def test_on_a_site_that_is_not_listed(orb: OrbPage, backend: ScriptedBackend):
    async with serving(backend) as served:
        await host(orb.page, served.http, embedded(served.http))
        await orb.open(SITE)
        await orb.start("error")
        await expect(orb.alert).to_contain_text("The voice server cannot be reached.")
        await orb.nothing_is_open()
    assert not backend.requests


async def test_in_a_frame_that_may_not_use_the_microphone(browser: Browser, backend: ScriptedBackend):
    page = await browser.new_page()
    async with serving(backend, LISTED) as served:
        await host(page, served.http, f'<iframe src="{served.http}/"></iframe>')
        await page.goto(SITE)
        frame = page.frame_locator("iframe")
        await frame.get_by_title("Start voice").click()
        await expect(frame.locator("voice-orb").get_by_role("alert")).to_contain_text('allow="microphone"')


async def test_on_a_page_that_is_not_secure(orb: OrbPage, backend: ScriptedBackend):
    """There, browsers hide the microphone altogether. Typing is left."""
    async with serving(backend) as served:

        async def proxied(route: Route) -> None:
            await route.fulfill(response=await route.fetch(url=served.http + urlsplit(route.request.url).path))

        await orb.page.route("http://app.example/**", proxied)
        await orb.open("http://app.example/")
        await orb.start("error")
        await expect(orb.alert).to_contain_text("it is not secure. Open it over HTTPS, or on localhost.")
        await orb.nothing_is_open()


async def test_a_browser_that_refuses(browser: Browser, backend: ScriptedBackend):
    """No stand-in for the microphone here: a browser without a person to ask says no."""
    orb = OrbPage(await browser.new_page())
    async with serving(backend) as served:
        await orb.open(served.http)
        await orb.start("error")
        await expect(orb.alert).to_contain_text("The microphone is blocked.")
        await expect(orb.button).to_have_attribute("title", "Start voice")
