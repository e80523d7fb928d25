"""This machine and its network: the port, UDP, https, proxies, the data directory, relays."""

import ipaddress
import socket
import tempfile
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from vivavoce.access.loopback import is_loopback
from vivavoce.cli.checks.finding import Finding, bad, fine, warn
from vivavoce.cli.settings import Settings
from vivavoce.server.run import CannotListen, listen

__all__ = ["data_directory", "https", "lan_address", "port", "proxies", "relays", "udp"]

UDP_SECONDS = 1.0
HEALTH_SECONDS = 2.0


def port(settings: Settings) -> Finding:
    where = f"port {settings.port} on {settings.host}"
    try:
        listen(settings.host, settings.port).close()
    except CannotListen as error:
        if _is_vivavoce(settings):
            return fine("port", f"{where} is taken by a Vivavoce that is running.")
        return bad("port", str(error), "Stop what has it, or choose another with --port.")
    return fine("port", f"{where} is free.")


def _is_vivavoce(settings: Settings) -> bool:
    scheme = "https" if settings.https or settings.cert else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{scheme}://{host}:{settings.port}/health", timeout=HEALTH_SECONDS) as answer:
            return b'"status"' in answer.read(100)
    except (OSError, ValueError):
        return False


def udp(address: str) -> Finding:
    """Whether a datagram gets from this machine to itself by ``address``, as sound on a call has to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as ear:
            ear.bind((address, 0))
            ear.settimeout(UDP_SECONDS)
            with closing(socket.socket(family, socket.SOCK_DGRAM)) as mouth:
                mouth.sendto(b"ping", ear.getsockname())
            ear.recv(4)
    except OSError as error:
        return bad(
            "udp", f"a datagram to {address} did not arrive ({error.strerror or 'it was swallowed'}).",
            "Let UDP through this machine's firewall; until then use --transport websocket.",
        )  # fmt: skip
    return fine("udp", f"datagrams arrive at {address}.")


def lan_address() -> str | None:
    """By which other devices reach this machine; None without a network. Nothing is sent."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if ipaddress.ip_address(address).is_loopback else address


def https(settings: Settings) -> Finding:
    served = settings.https or settings.cert is not None
    if is_loopback(settings.host):
        return fine("https", "on this machine the page may use the microphone without it.")
    if not served:
        return warn(
            "https", "browsers on other devices give no microphone to a page that comes over http.",
            "Start with --https, or stand behind a proxy that speaks https (docs/gateway.md).",
        )  # fmt: skip
    if settings.cert is None:
        return warn(
            "https", "the certificate is signed by this machine itself, so browsers warn of it once.",
            "Give a real one with --cert and --key where that is a nuisance.",
        )  # fmt: skip
    return fine("https", f"with {settings.cert}.")


def proxies(environ: Mapping[str, str]) -> Finding:
    """A proxy for everything catches requests to this machine itself."""
    found = {name for name in environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy") and environ[name]}
    if not found:
        return fine("proxy", "none is set.")
    spared = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").replace(" ", "").split(",")
    names = " and ".join(sorted(found))
    if "*" in spared or {"localhost", "127.0.0.1"} & set(spared):
        return fine("proxy", f"{names}; this machine is spared by NO_PROXY.")
    return warn(
        "proxy", f"{names} is set, and other programs may ask it for 127.0.0.1 too, which it cannot reach.",
        "Set NO_PROXY=localhost,127.0.0.1 where those programs run. Vivavoce itself spares this machine.",
    )  # fmt: skip


def data_directory(directory: Path) -> Finding:
    there = next(each for each in (directory, *directory.parents) if each.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        says = f"{directory} cannot be written: {error.strerror}."
        return bad("data", says, "Make it this user's, or choose another with --data-dir.")
    return fine("data", f"{directory} can be written.")


def relays(settings: Settings) -> Finding | None:
    if settings.turn and not settings.turn_secret:
        return bad(
            "turn", "there is a TURN server, and no secret to make credentials for it.",
            "Set VIVAVOCE_TURN_SECRET to its static-auth-secret.",
        )  # fmt: skip
    if settings.turn:
        return fine("turn", f"browsers may relay by {', '.join(settings.turn)}.")
    return None
