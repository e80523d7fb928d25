"""The page at /: what everybody can see and use, in light and dark, on a phone, with one script and no key of ours."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.browser import PROBE, OrbPage
from tests.e2e.events import answer, finished, question
from tests.support.backends import ScriptedBackend
from tests.support.process import serve
from tests.support.serving import serving
from vivavoce.server.options import ServerOptions

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend()


async def test_the_orb_is_the_first_button_and_in_sight(orb: OrbPage, backend: ScriptedBackend):
    async with serving(backend) as served:
        await orb.open(served.http)
        await expect(orb.page.get_by_role("button").first).to_have_attribute("title", "Start voice")
        await expect(orb.button).to_be_in_viewport(ratio=1)
        await expect(orb.page.get_by_text(backend.name)).to_be_visible()
        await orb.page.get_by_text("Put it on your own page").click()
        await expect(orb.page.locator("pre")).to_contain_text(f'<script src="{served.http}/orb.js" async></script>')
        assert not orb.errors
        assert not [line for line in orb.console if line.startswith("error")]


@pytest.mark.parametrize("size", [(360, 640), (1280, 720)])
async def test_nothing_is_wider_than_the_window(orb: OrbPage, backend: ScriptedBackend, size: tuple[int, int]):
    await orb.page.set_viewport_size({"width": size[0], "height": size[1]})
    async with serving(backend) as served:
        await orb.open(served.http)
        await orb.page.get_by_text("Put it on your own page").click()
        assert await orb.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        await expect(orb.button).to_be_in_viewport(ratio=1)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; `make test` installs it")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_accessibility(browser: Browser, backend: ScriptedBackend, scheme: str):
    context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    await context.add_init_script(path=PROBE)
    orb = OrbPage(await context.new_page())
    async with serving(backend, ServerOptions(transport="websocket")) as served:
        await orb.open(served.http)
        await _no_violations(orb)
        await orb.page.get_by_label("Show timing").check()
        await orb.start()
        await orb.page.get_by_placeholder("Type instead…").fill("hello")
        await _no_violations(orb)
        line = await backend.next_opened()
        line.arrive(*question("hello"), *answer("Good day.", 100), *finished("Good day."))
        await expect(orb.captions).to_contain_text("Good day.")
        await expect(orb.timing).to_contain_text("on the way")
        await _no_violations(orb)
        line.hang_up(4000, "over")
        await orb.becomes("error")
        await _no_violations(orb)


async def _no_violations(orb: OrbPage) -> None:
    # Not as a <script>: the page's policy would not have it.
    await orb.page.evaluate(AXE.read_text())
    found = await orb.page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] })")
    told = [(it["id"], [node["html"] for node in it["nodes"]]) for it in found["violations"]]
    assert not told, json.dumps(told, indent=1)


async def test_drawing_by_processor_or_not_at_all(browser: Browser, backend: ScriptedBackend):
    """Where WebGL is off, the orb is painted by style sheet alone."""
    context = await browser.new_context()
    await context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    orb = OrbPage(await context.new_page())
    async with serving(backend) as served:
        await orb.open(served.http)
        await expect(orb.orb.locator(".flat")).to_be_visible()
        assert not orb.errors


async def test_the_upstreams_key_never_reaches_the_browser(orb: OrbPage, backend: ScriptedBackend, tmp_path: Path):
    """A second Vivavoce plays the upstream and demands the key, which only the first one has."""
    key = "sk-test-7c0ffee7c0ffee7c0ffee"
    async with serving(backend, ServerOptions(api_keys=(key,))) as upstream:
        environ = {"OPENAI_API_KEY": key}
        options = ["--backend", "upstream", "--upstream-url", f"{upstream.http}/v1", "--port", "0"]
        async with serve(tmp_path, *options, **environ) as process:
            await orb.open(await process.address())
            seen = []
            orb.page.on("response", lambda response: seen.append(response))
            await orb.start()
            await backend.next_opened()
            page = await orb.page.content() + json.dumps(await orb.page.evaluate("__probe.told"))
            answers = [json.dumps(response.headers) for response in seen]
            whole = [it for it in seen if it.ok and "event-stream" not in it.headers.get("content-type", "")]
            bodies = [await response.text() for response in whole]
            await orb.click()
            await orb.becomes("idle")
            await orb.nothing_is_open()
            process.signal(15)
            _, log = await process.rest()
    assert bodies
    for text in [page, log, *answers, *bodies, *orb.requests, *orb.console]:
        assert key not in text
