"""Calls: the UDP ports that they may take, and whether callers can know an address to send to."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import closing

from vivavoce.access.loopback import is_loopback
from vivavoce.cli.checks.finding import Finding, bad, fine, warn
from vivavoce.cli.checks.machine import lan_address
from vivavoce.cli.settings import Settings
from vivavoce.sessions.capacity import CEILING

__all__ = ["calls"]


def calls(settings: Settings) -> Iterator[Finding]:
    """Nothing where the page takes WebSockets alone."""
    if settings.transport == "websocket":
        return
    if settings.udp_port_range:
        yield _ports(settings, *settings.udp_port_range)
    yield _addresses(settings, lan_address())


def _ports(settings: Settings, low: int, high: int) -> Finding:
    free = sum(_is_free(port) for port in range(low, high + 1))
    if low == high:
        if free:
            return fine("calls", f"all share UDP port {low}, which is free.")
        return bad(
            "calls", f"UDP port {low} is taken, unless by a Vivavoce that is carrying calls now.",
            "Stop what has it, or choose another with --udp-port-range.",
        )  # fmt: skip
    if not free:
        return bad(
            "calls", f"the UDP ports {low} to {high} are all taken.",
            "Choose others with --udp-port-range, or a single one, which all calls share.",
        )  # fmt: skip
    most = settings.max_sessions or CEILING
    if free < most:
        return warn(
            "calls", f"{free} of the UDP ports {low} to {high} are free, for up to {most} sessions.",
            f"Widen --udp-port-range, or let all calls share one: --udp-port-range {low}",
        )  # fmt: skip
    return fine("calls", f"{free} of the UDP ports {low} to {high} are free.")


def _is_free(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def _addresses(settings: Settings, own: str | None) -> Finding:
    if settings.public_address:
        said = f"callers are offered {' and '.join(settings.public_address)}."
        if settings.udp_port_range:
            return fine("calls", said)
        return warn(
            "calls", f"{said} Whoever forwards packets from there has to forward every UDP port.",
            "Name a port with --udp-port-range, and forward that.",
        )  # fmt: skip
    if is_loopback(settings.host) and not settings.public_url:
        return fine("calls", "callers are on this machine.")
    if own is None:
        return warn("calls", "this machine has no network.", "Connect it, or use --transport websocket.")
    if ipaddress.ip_address(own).is_private and not settings.turn:
        return warn(
            "calls", f"callers are offered {own}, which is known in this network alone.",
            "Where others call: forward a port to it and name both, --public-address and --udp-port-range "
            "(docs/gateway.md); they take a WebSocket meanwhile.",
        )  # fmt: skip
    return fine("calls", f"callers are offered {own}.")
