"""A server-side tool as its owner writes it down, in ``tools`` of an agent or of the whole file, as plain data.

A text is a Python function; a table has ``python``, ``http`` or ``mcp``, and what else that kind takes. What has to be
fetched or imported is not looked at here. Credentials come from the environment, by the names of variables.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.access.filler import AFTER_SECONDS, Filler, Phrases, filler
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape, check

__all__ = ["NAME", "OWN_LABEL", "TIMEOUT_SECONDS", "HttpSpec", "McpSpec", "PythonSpec", "ToolError", "ToolSpec",
           "is_served", "read_tool", "secrets_of"]  # fmt: skip

TIMEOUT_SECONDS = 15.0
"""How long a tool may take, unless it says otherwise."""
MOST_SECONDS = 300.0
LEAST_SECRET = 8
"""Characters of a header that may be a credential."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A function's name, for every model."""
OWN_LABEL = "server"
"""The ``server_label`` under which clients see functions and HTTP calls of ours."""
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class ToolError(Exception):
    """What is wrong with what was written down, by the name of the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    at: str
    """Where it was written, for messages: ``agents.blue.tools[0]``."""
    timeout: float = TIMEOUT_SECONDS
    """Seconds."""
    filler: Filler | UnsetType | None = UNSET
    """What is said while it takes long; None is nothing, UNSET what the agent says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSpec(ToolSpec):
    target: str
    """``module.of:function``, or ``path/to/file.py:function``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec(ToolSpec):
    name: str
    description: str
    method: str
    url: str
    """With ``{parameter}`` in its path or query."""
    parameters: Mapping[str, Any]
    """JSON Schema of an object."""
    headers: Mapping[str, str] = field(repr=False)
    private: bool = False
    """Whether its host may be in the own network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSpec(ToolSpec):
    label: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowed: tuple[str, ...] | None = None
    """The names of its tools that may be used; None is all."""
    private: bool = False


class _Any(Shape, kw_only=True):
    timeout: Annotated[float, Meta(gt=0, le=MOST_SECONDS)] = TIMEOUT_SECONDS
    filler: Phrases | UnsetType = UNSET
    filler_after: Annotated[float, Meta(gt=0, le=60)] = AFTER_SECONDS


class _Python(_Any, kw_only=True):
    python: str


class _Remote(_Any, kw_only=True):
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    headers_env: dict[str, str] = msgspec.field(default_factory=dict)
    authorization_env: str | UnsetType = UNSET
    private: bool = False


class _Http(_Remote, kw_only=True):
    http: str
    name: str
    description: Annotated[str, Meta(min_length=1)]
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})


class _Mcp(_Remote, kw_only=True):
    mcp: str
    label: Annotated[str, Meta(min_length=1, max_length=64)]
    tools: list[str] | UnsetType = UNSET


_KINDS: dict[str, type[_Any]] = {"python": _Python, "http": _Http, "mcp": _Mcp}


def secrets_of(specs: Iterable[ToolSpec]) -> list[str]:
    """What no log may show."""
    remote = (spec for spec in specs if isinstance(spec, HttpSpec | McpSpec))
    held = (value.removeprefix("Bearer ") for spec in remote for value in spec.headers.values())
    return [value for value in held if len(value) >= LEAST_SECRET]


def is_served(written: Any) -> bool:
    """Whether this entry is run by this server, and is none that whoever answers, or the page, runs."""
    return isinstance(written, str) or (isinstance(written, Mapping) and not _KINDS.keys().isdisjoint(written))


def read_tool(written: Any, at: str, environ: Mapping[str, str]) -> ToolSpec:
    """Raises :class:`ToolError`."""
    if isinstance(written, str):
        written = {"python": written}
    kinds = [kind for kind in _KINDS if isinstance(written, Mapping) and kind in written]
    if len(kinds) != 1:
        raise ToolError(f"{at} is a Python function, 'module:function', or a table with python, http or mcp in it.")
    try:
        table = check(written, _KINDS[kinds[0]], at)
    except ProtocolError as error:
        raise ToolError(error.message if error.code != "unknown_parameter" else f"{error.param} is no field of such a "
                        f"tool.") from None  # fmt: skip
    common: dict[str, Any] = {"at": at, "timeout": table.timeout, "filler": filler(table.filler, table.filler_after)}
    match table:
        case _Python():
            return PythonSpec(target=_target(table.python, at), **common)
        case _Http():
            return _http(table, _headers(table, at, environ), common)
        case _Mcp():
            return _mcp(table, _headers(table, at, environ), common)
    raise AssertionError(kinds)


def _target(target: str, at: str) -> str:
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise ToolError(f"{at}: write 'module:function' or 'file.py:function'; this is {target!r}.")
    return target


def _http(table: _Http, headers: Mapping[str, str], common: dict[str, Any]) -> HttpSpec:
    at = common["at"]
    method, _, url = table.http.strip().partition(" ")
    if method not in _METHODS or not url.startswith(("http://", "https://")):
        raise ToolError(f"{at}.http is a method ({', '.join(_METHODS)}) and an address, such as "
                        "'GET https://api.example/stock/{sku}'.")  # fmt: skip
    if not NAME.fullmatch(table.name):
        raise ToolError(f"{at}.name: a tool's name has letters, digits, - and _, 64 at most.")
    return HttpSpec(
        name=table.name, description=table.description, method=method, url=url.strip(), parameters=table.parameters,
        headers=headers, private=table.private, **common,
    )  # fmt: skip


def _mcp(table: _Mcp, headers: Mapping[str, str], common: dict[str, Any]) -> McpSpec:
    if table.label == OWN_LABEL:
        raise ToolError(f"{common['at']}.label: '{OWN_LABEL}' is what this server's own tools are labelled; choose "
                        "another.")  # fmt: skip
    allowed = None if table.tools is UNSET else tuple(table.tools)
    return McpSpec(label=table.label, url=table.mcp, headers=headers, allowed=allowed, private=table.private, **common)


def _headers(table: _Remote, at: str, environ: Mapping[str, str]) -> dict[str, str]:
    """``headers_env`` names the variable of a whole header, ``authorization_env`` that of a bearer token."""
    headers = dict(table.headers)
    for name, variable in table.headers_env.items():
        headers[name] = _held(variable, f"{at}.headers_env", environ)
    if table.authorization_env is not UNSET:
        headers["Authorization"] = f"Bearer {_held(table.authorization_env, f'{at}.authorization_env', environ)}"
    if broken := [name for name, value in headers.items() if not name.isascii() or not value.isprintable()]:
        raise ToolError(f"{at}: the header '{broken[0]}' cannot be sent: letters and signs of one line only.")
    if any(name.lower() == "authorization" for name in table.headers):
        raise ToolError(f"{at}.headers: a credential belongs in the environment; name its variable in "
                        "authorization_env.")  # fmt: skip
    return headers


def _held(variable: str, at: str, environ: Mapping[str, str]) -> str:
    if not environ.get(variable):
        raise ToolError(f"{at}: the variable {variable} is not set.")
    return environ[variable]
