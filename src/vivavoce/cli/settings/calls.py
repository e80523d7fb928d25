"""How callers of WebRTC reach this server."""

from dataclasses import dataclass
from typing import Literal

from vivavoce.cli import values
from vivavoce.cli.settings.spec import setting

__all__ = ["Calls"]

_GROUP = "Calls (WebRTC)"


@dataclass(frozen=True, kw_only=True)
class Calls:
    udp_port_range: tuple[int, int] | None = setting(
        None, values.port_range, _GROUP,
        "UDP ports that calls may take, one each, such as 40000-40100; a single port is shared by all of them. Without "
        "this: any.",
        metavar="LOW-HIGH",
    )  # fmt: skip
    public_address: tuple[str, ...] = setting(
        (), values.host_addresses, _GROUP,
        "IP address by which callers reach this machine, where it is not its own: behind a router, in a cloud, in "
        "Docker. May be repeated.",
        metavar="ADDRESS", option="public-address",
    )  # fmt: skip
    ice_for: Literal["page", "both"] = setting(
        "page", values.choice("page", "both"), _GROUP,
        "Who uses --stun and --turn. both: this server too, where nobody can reach it directly.",
    )  # fmt: skip
