"""One Chromium for each file, a page of its own for each test, and a server of the test's own choosing in the same
event loop, which lives as long as the Chromium: ``pytest.mark.asyncio(loop_scope="module")``."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e.browser import CHROMIUM_ARGS, PROBE, OrbPage
from tests.support.tools import chromium

expect.set_options(timeout=15_000)  # milliseconds: only what fails takes as long


@pytest_asyncio.fixture(scope="module", loop_scope="module")
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


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _its_pages_go_with_a_test(browser: Browser) -> AsyncIterator[None]:
    yield
    for context in browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def orb(browser: Browser) -> OrbPage:
    """A page not yet opened. Motion is reduced: drawing costs what the voice needs on a small machine."""
    context = await browser.new_context(reduced_motion="reduce")
    await context.add_init_script(path=PROBE)
    return OrbPage(await context.new_page())
