"""A page in Chromium with a cueable microphone, and the words in which tests speak of the orb."""

import base64
from pathlib import Path
from typing import Any

from playwright.async_api import ConsoleMessage, Page, Request, expect

__all__ = ["CHROMIUM_ARGS", "PROBE", "OrbPage"]

PROBE = Path(__file__).with_name("probe.js")
SPEECH = Path(__file__).parents[1] / "speech"

CHROMIUM_ARGS = [
    "--no-sandbox",  # containers run as root
    "--autoplay-policy=user-gesture-required",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
]

AUDIBLE = 0.01
"""RMS at the speaker: about -40 dBFS, quiet speech."""


class OrbPage:
    """A page with an orb on it, and a record of what it wrote to the console and the network."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.orb = page.locator("voice-orb")
        self.button = self.orb.locator("button").first
        self.status = self.orb.get_by_role("status")
        self.alert = self.orb.get_by_role("alert")
        self.captions = self.orb.get_by_role("log")
        self.timing = self.orb.get_by_role("group")
        page.on("console", self._logged)
        page.on("request", self._requested)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _logged(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url} {request.headers} {request.post_data or ''}")

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await expect(self.button).to_have_attribute("title", "Start voice")

    async def set(self, **attributes: str) -> None:
        for name, value in attributes.items():
            await self.orb.evaluate("(orb, it) => orb.setAttribute(...it)", [name.replace("_", "-"), value])

    async def click(self) -> None:
        await self.button.click()

    async def becomes(self, *states: str, timeout: float = 15) -> None:
        """Waits until the orb is in one of these states."""
        await self.page.wait_for_function(
            "states => states.includes(document.querySelector('voice-orb').state)", arg=states, timeout=timeout * 1000
        )

    async def start(self, *states: str) -> None:
        await self.click()
        await self.becomes(*(states or ("listening",)))

    async def say(self, recording: str) -> None:
        sound = base64.b64encode((SPEECH / recording).read_bytes()).decode()
        await self.page.evaluate("sound => __probe.say(sound)", sound)

    async def hears(self, least: float = AUDIBLE) -> float:
        """Wait for sound at the speaker that is as loud as this; returns how loud it is."""
        loudness: float = await self.page.evaluate(f"__probe.hear({least})")
        return loudness

    async def hush(self, ms: int = 400) -> None:
        await self.page.evaluate(f"__probe.hush({AUDIBLE}, {ms})")

    async def told(self, name: str) -> list[dict[str, Any]]:
        """The details of all events of this name."""
        told: list[dict[str, Any]] = await self.page.evaluate(
            "name => __probe.told.filter((it) => it.name === name).map((it) => it.detail)", name
        )
        return told

    async def sent(self, type_: str) -> list[dict[str, Any]]:
        """The client events of this type that went out."""
        told = await self.told("voice-event")
        return [it["event"] for it in told if it["direction"] == "out" and it["event"]["type"] == type_]

    async def nothing_is_open(self) -> None:
        """No live track, connection, socket or audio context is left of all that were opened."""
        await self.page.wait_for_function("Object.values(__probe.alive()).every((count) => count === 0)", timeout=3000)

    async def opened(self) -> dict[str, int]:
        counts: dict[str, int] = await self.page.evaluate(
            "Object.fromEntries(Object.entries(__probe.opened).map(([name, list]) => [name, list.length]))"
        )
        return counts
