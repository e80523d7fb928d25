"""What the application is told when it is built: plain values, read from settings elsewhere."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["STATIC", "ServerOptions", "Transport"]

STATIC = Path(__file__).parent.parent / "static"

Transport = Literal["auto", "webrtc", "websocket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    host: str = "127.0.0.1"
    """The address that is listened on. Requests may name it, or this machine, in ``Host``."""
    model: str = "gpt-realtime"
    """The model of a session that names none."""
    voice: str | None = None
    transport: Transport = "auto"
    debug: bool = False
    """Whether the page shows raw events in the console."""
    allow_origins: tuple[str, ...] = ()
    """Other sites that may embed the orb, as browsers write them: ``https://app.example``."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Standard keys that are let in, beside those in the store. None at all is local mode: any key or none will do."""
    max_sessions: int = 32
    static: Path = STATIC
