"""The JavaScript clients of ``js/``, each under the four names that ``test_clients`` calls."""

from typing import Any

import httpx
import pytest
from playwright.async_api import async_playwright

from tests.compat.node import Node
from tests.compat.server import Place
from tests.support.tools import chromium

__all__ = ["agents_browser", "agents_node", "openai_node", "reference_beta"]

CHROMIUM_ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]


async def openai_node(node: Node, place: Place, scenario: str) -> Any:
    """Over TLS, with a certificate that nobody else knows (C-43)."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(place.certificate)}
    return await node.run("openai_node.mjs", scenario, f"{place.https}/v1", **trusted)


async def agents_node(node: Node, place: Place, scenario: str) -> Any:
    return await node.run("agents_node.mjs", scenario, f"{place.websocket}?model=gpt-realtime", await key(place))


async def reference_beta(node: Node, place: Place, scenario: str) -> Any:
    return await node.run("reference_beta.mjs", scenario, place.websocket)


async def agents_browser(node: Node, place: Place, scenario: str) -> Any:
    """In a page of another site, over WebRTC, with an ephemeral key."""
    if (path := chromium()) is None:
        pytest.skip("no Chromium on this machine; `make test` installs one")
    bundle = await node.run("bundle.mjs", "agents_browser.mjs")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        try:
            page = await browser.new_page(bypass_csp=True)
            await page.goto(f"{place.other_origin}/health")
            await page.add_script_tag(content=bundle)
            call = "([scenario, url, key]) => perform(scenario, url, key)"
            found = await page.evaluate(call, [scenario, f"{place.base}/realtime/calls", await key(place)])
        finally:
            await browser.close()
    assert found.pop("callId").startswith("rtc_")  # read from a header that the page may see (H-17, H-18)
    return found


async def key(place: Place) -> str:
    async with httpx.AsyncClient() as http:
        minted = await http.post(f"{place.base}/realtime/client_secrets", json={"session": {"type": "realtime"}})
    return str(minted.json()["value"])
