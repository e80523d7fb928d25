"""One Chromium for each test, and a server of the test's own choosing in the same event loop."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.e2e.browser import CHROMIUM_ARGS, PROBE, OrbPage
from tests.support.tools import chromium


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine; `make test` installs one")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def orb(browser: Browser) -> OrbPage:
    """A page not yet opened. Motion is reduced: drawing costs what the voice needs on a small machine."""
    context = await browser.new_context(reduced_motion="reduce")
    await context.add_init_script(path=PROBE)
    return OrbPage(await context.new_page())
