"""What a setting may be: one function a kind of value, each from what a person wrote to what the program uses.

What a person wrote is a string (environment, option) or a TOML value (file). A function raises ``ValueError`` with the
half-sentence that completes "host 'x' …"; :mod:`vivavoce.cli.settings` adds the name and where it came from.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from vivavoce.client.allowlist import Allowed

__all__ = [
    "Parse", "addresses", "allowed", "choice", "database", "directory", "existing_file", "host", "host_addresses",
    "http_url", "ice_servers", "language", "number", "number_or_auto", "origins", "port_range", "redis_url",
    "switch", "text",
]  # fmt: skip

Parse = Callable[[object], object]

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


def text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("is not a text")
    return raw.strip()


def switch(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in _YES | _NO:
        raise ValueError("is neither yes (1, true, yes, on) nor no (0, false, no, off)")
    return word in _YES


def number(low: int, high: int, what: str) -> Parse:
    """A whole number between two bounds, both allowed."""

    def parse(raw: object) -> int:
        try:
            value = int(str(raw).strip())
        except ValueError:
            raise ValueError(f"is not {what}, a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise ValueError(f"is not {what}: it goes from {low} to {high}")
        return value

    return parse


def number_or_auto(low: int, high: int, what: str) -> Parse:
    """None for "auto"."""
    whole = number(low, high, what)

    def parse(raw: object) -> object:
        if str(raw).strip().lower() == "auto":
            return None
        try:
            return whole(raw)
        except ValueError as error:
            raise ValueError(f"{error}, or auto") from None

    return parse


def choice(*allowed: str) -> Parse:
    def parse(raw: object) -> str:
        value = text(raw).lower()
        if value not in allowed:
            raise ValueError(f"is none of {', '.join(allowed)}")
        return value

    return parse


def host(raw: object) -> str:
    """An address to listen on, or a name that has one."""
    name = text(raw).strip("[]")
    if not name or not re.fullmatch(r"[0-9A-Za-z.:%_-]+", name):
        raise ValueError("is not an address such as 127.0.0.1, 0.0.0.0 or ::1")
    return name


def http_url(raw: object) -> str:
    """The base address of an API, without a slash at its end."""
    url = text(raw).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http:// or https:// address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("carries more than an address; a key belongs in the environment")
    return url


def origins(raw: object) -> tuple[str, ...]:
    """Origins as browsers send them, ``https://app.example``: from commas in one text, or from a list."""
    return tuple(_origin(word) for word in _words(raw))


def allowed(raw: object) -> tuple[Allowed, ...]:
    """Addresses that may be reached: from commas in one text, or from a list."""
    try:
        return tuple(map(Allowed.parse, _words(raw)))
    except ValueError as error:
        raise ValueError(f"has an entry that {error}") from None


def _words(raw: object) -> list[str]:
    words = raw.split(",") if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else [raw]
    return [text(word) for word in words if word != ""]


def _origin(word: str) -> str:
    parts = urlsplit(word)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"has {word!r}, which is not an origin such as https://app.example or http://localhost:3000")
    return f"{parts.scheme}://{parts.netloc}".lower()


def language(raw: object) -> str:
    """``de`` or ``de-AT``."""
    word = text(raw)
    if not re.fullmatch(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*", word):
        raise ValueError("is not a language such as en or de-AT")
    return word


def ice_servers(*schemes: str) -> Parse:
    """Addresses of STUN or TURN servers, from commas in one text or from a list."""

    def parse(raw: object) -> tuple[str, ...]:
        found = tuple(_words(raw))
        for word in found:
            if word.partition(":")[0] not in schemes or not word.partition(":")[2].strip("/"):
                raise ValueError(f"has {word!r}, which is not an address such as {schemes[0]}:host.example:3478")
        return found

    return parse


def directory(raw: object) -> Path:
    path = Path(text(raw)).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError("is a file, not a directory")
    return path


def port_range(raw: object) -> tuple[int, int]:
    """``40000-40100``, or one port alone."""
    found = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?", str(raw).strip())
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 0 < low <= high <= 65_535:
        raise ValueError("is not a range of ports such as 40000-40100, or one port")
    return low, high


def host_addresses(raw: object) -> tuple[str, ...]:
    """IP addresses of machines: from commas in one text, or from a list."""
    found = addresses(raw)
    for word in found:
        if "/" in word:
            raise ValueError(f"has {word!r}, which is a network and not one address")
    return found


def addresses(raw: object) -> tuple[str, ...]:
    """IP addresses or networks: from commas in one text, or from a list."""
    words = raw.split(",") if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else [raw]
    found = [text(word) for word in words]
    for word in found:
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError:
            raise ValueError(f"has {word!r}, which is no IP address such as 127.0.0.1") from None
    return tuple(found)


def database(raw: object) -> str:
    url = text(raw)
    if urlsplit(url).scheme.partition("+")[0] not in ("postgresql", "sqlite"):
        raise ValueError("is not a database: write postgresql://user@host/name, or sqlite:////path/to/file")
    return url


def redis_url(raw: object) -> str:
    url = text(raw)
    if url != "memory://" and urlsplit(url).scheme not in ("redis", "rediss"):
        raise ValueError("is neither memory:// nor redis://host:port/number")
    return url


def existing_file(raw: object) -> Path:
    path = Path(text(raw)).expanduser().absolute()
    if not path.is_file():
        raise ValueError("is no file that exists")
    return path
