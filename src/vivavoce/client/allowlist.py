"""Which servers a client's wish may make this one call: those that its operator wrote down, and no others.

An entry is an address up to a path, ``https://host[:port]/path``; everything below the path is allowed. What its host
resolves to has to be a public address, so that a name in a stranger's hands leads nobody into the own network. Hosts
that are themselves written as an address, and ``localhost``, mean what they say; ``#private`` after an entry says
so for any other name.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["AllowList", "Allowed", "is_public"]

_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[!-~]+")
"""Visible ASCII: what several parsers read in the same way."""
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Allowed:
    scheme: str
    host: str
    port: int
    path: str
    """Without a slash at its end."""
    private: bool
    """Whether it may lead to an address that is not public."""

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        """Raises ``ValueError`` with the half-sentence that completes "'x' …"."""
        address, mark, fragment = text.partition("#")
        parts = _split(address)
        if parts is None or "?" in address or (mark and fragment != "private"):
            raise ValueError("is not an address such as https://mcp.example/path")
        scheme, host, port, path = parts
        return cls(scheme, host, port, path.rstrip("/"), bool(mark) or host == "localhost" or _is_address(host))

    def admits(self, scheme: str, host: str, port: int, path: str) -> bool:
        below = path == self.path or path.startswith(self.path + "/")
        return (scheme, host, port) == (self.scheme, self.host, self.port) and below and not _DOTS.search(path)


class AllowList:
    def __init__(self, entries: Iterable[Allowed] = ()) -> None:
        self._entries = tuple(entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def find(self, scheme: str, host: str, port: int | None, path: str) -> Allowed | None:
        """The entry that allows this, in the parts that a request is made of (``port`` None: the scheme's own)."""
        asked = (scheme, host.lower(), port or _PORTS.get(scheme, 0), path)
        return next((entry for entry in self._entries if entry.admits(*asked)), None)

    def find_url(self, url: str) -> Allowed | None:
        parts = _split(url)
        return self.find(*parts) if parts else None


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, and not one that carries another within."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # fe80::1%eth0
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None,))[-1]
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _split(url: str) -> tuple[str, str, int, str] | None:
    """Scheme, host, port and path; None for what is no http address, or holds a name and password."""
    if not _PLAIN.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port, parts.path or "/"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
