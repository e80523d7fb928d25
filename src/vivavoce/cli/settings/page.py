"""The page with the orb, and how browsers connect."""

from dataclasses import dataclass
from typing import Literal

from vivavoce.cli import values
from vivavoce.cli.settings.spec import setting

__all__ = ["Page"]

_GROUP = "The page"


@dataclass(frozen=True, kw_only=True)
class Page:
    transport: Literal["auto", "webrtc", "websocket"] = setting(
        "auto", values.choice("auto", "webrtc", "websocket"), _GROUP,
        "How the page connects; auto: WebRTC, and a WebSocket where that fails.",
    )  # fmt: skip
    allow_origins: tuple[str, ...] = setting(
        (), values.origins, _GROUP,
        "Another site that may embed the orb, such as https://app.example; may be repeated.",
        "VIVAVOCE_ORIGINS", metavar="ORIGIN", option="allow-origin",
    )  # fmt: skip
    language: str | None = setting(
        None,
        values.language,
        _GROUP,
        "Language of the page's own words, such as de; else the browser's.",
        metavar="CODE",
    )
    stun: tuple[str, ...] = setting(
        (), values.ice_servers("stun", "stuns"), _GROUP, "STUN server for browsers behind a router; may be repeated.",
        metavar="stun:HOST:PORT",
    )  # fmt: skip
    turn: tuple[str, ...] = setting(
        (), values.ice_servers("turn", "turns"), _GROUP,
        "TURN server for browsers that reach nothing directly; its secret is in VIVAVOCE_TURN_SECRET. May be repeated.",
        metavar="turn:HOST:PORT",
    )  # fmt: skip
    debug_realtime: bool = setting(False, values.switch, _GROUP, "Show raw events in the browser's console.")
