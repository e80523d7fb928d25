"""What the application is told when it is built: plain values, read from settings elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vivavoce.access.agents import Agents, Kept
from vivavoce.access.limits import Allowance, Kind
from vivavoce.access.prices import Prices
from vivavoce.access.turn import IceServers
from vivavoce.models.remote.place import OPENAI_MODELS
from vivavoce.sessions.upkeep import Lasting

__all__ = ["STATIC", "Calls", "ServerOptions", "Transport"]

STATIC = Path(__file__).parent.parent / "static"

Transport = Literal["auto", "webrtc", "websocket"]


@dataclass(frozen=True, slots=True)
class Calls:
    """How callers reach this server. By default: any port, the addresses it has, and nobody is asked about them."""

    udp_ports: tuple[int, int] | None = None
    """The lowest and the highest that calls may take; where they are one, all calls share it."""
    public: Sequence[str] = ()
    """Addresses that are offered in the place of this machine's own."""
    servers: IceServers = field(default_factory=IceServers)
    """That are asked how this machine can be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    host: str = "127.0.0.1"
    """The address that is listened on. Requests may name it, or this machine, in ``Host``."""
    model: str = "gpt-realtime"
    """The model of a session that names none."""
    voice: str | None = None
    voices: Sequence[str] = ()
    """That whoever answers is known to have."""
    transport: Transport = "auto"
    debug: bool = False
    """Whether the page shows raw events in the console."""
    allow_origins: tuple[str, ...] = ()
    """Other sites that may embed the orb, as browsers write them: ``https://app.example``."""
    public_url: str | None = None
    """How people reach this server through a proxy in front, without a slash at its end."""
    served: bool = False
    """Whether a key is demanded even while nobody has been given one."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """Standard keys that are let in, beside those in the store. None at all is local mode: any key or none will do."""
    agents: Agents = field(default_factory=Agents, repr=False)
    ice: IceServers = field(default_factory=IceServers)
    """What the page tells its browser to ask on its way here."""
    calls: Calls = field(default_factory=Calls)
    """How callers reach this server."""
    language: str | None = None
    """Of the page's own words; None is the browser's."""
    prices: Prices = field(default_factory=lambda: Prices({}, free=True), repr=False)
    """What usage costs; by default nothing, as on this machine."""
    plain_models: Mapping[str, str] = field(default_factory=lambda: dict(OPENAI_MODELS))
    """What is asked of an upstream by a plain request whose client may not choose, or has not chosen."""
    open_metrics: bool = False
    """Whether ``/metrics`` takes no key from this machine."""
    max_sessions: int | None = 32
    """None: as many as this process can serve well, by measuring (``sessions/capacity.py``)."""
    park_seconds: float = 0
    """How long a session waits for a client that was cut off; 0: it does not."""
    max_parked: int = 16
    """How many may wait at one time."""
    allowances: Mapping[Kind, Allowance] = field(default_factory=dict)
    """What one key, user and address may have; those that are not named may have all there is."""
    lasting: Lasting = field(default_factory=Lasting)
    """How long a session may last, in served mode."""
    lasting_local: Lasting = field(default_factory=Lasting)
    """The same in local mode."""
    store: Kept = "text"
    """What is kept of sessions, unless their agent says otherwise."""
    keep_days: int | None = None
    """After so many days in which nothing was said a session is deleted; None: never."""
    static: Path = STATIC
