"""The base of every shape, and the check that turns a wrong field into the API's own error.

A shape is a ``msgspec.Struct`` in which a field that a client left out is ``UNSET``, so that one
declaration serves for what is sent, for partial updates (S-37) and for the full object that is echoed.
"""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["UNSET", "EventId", "Metadata", "Shape", "UnsetType", "check", "get"]

T = TypeVar("T")
D = TypeVar("D")


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may be sent: a key that is not declared is an error, as at the API (S-40)."""


EventId = Annotated[str, Meta(max_length=512)] | None | UnsetType
"""E-01."""

Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
    Meta(max_length=16),
]
"""S-35."""


def get(value: T | UnsetType | None, default: D) -> T | D:
    """``value``, or ``default`` where the client left it out or sent null."""
    return default if isinstance(value, UnsetType) or value is None else value


def check(data: Any, shape: type[T], at: str = "", *, strict: bool = True) -> T:
    """``data`` as ``shape``; without ``strict`` a text may stand for a number, as in a query. Raises
    :class:`ProtocolError` with the code and the dotted path of the first field at fault; ``at`` is the path of
    ``data`` itself (``session``), empty for an event."""
    try:
        return msgspec.convert(data, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise _translated(str(error), at) from None


MOST = 500
"""Characters that an error keeps of each end of an explanation."""

_LOCATED = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<field>.*)`")


def _translated(message: str, at: str) -> ProtocolError:
    """msgspec says what and where in one fixed form; its version is pinned and tests hold the mapping."""
    if len(message) > 2 * MOST:  # it repeats what was sent; what is at fault stands at the ends
        message = f"{message[:MOST]}…{message[-MOST:]}"
    located = _LOCATED.match(message)
    assert located is not None
    what, path = located["what"], (located["path"] or "").replace("[...]", "").lstrip(".")
    path = ".".join(filter(None, [at, path]))
    if named := _FIELD.match(what):
        path = ".".join(filter(None, [path, named["field"]]))
        if named["fault"] == "contains unknown":
            return ProtocolError("unknown_parameter", f"Unknown parameter: '{path}'.", param=path)
        return ProtocolError("missing_required_parameter", f"Missing required parameter: '{path}'.", param=path)
    code = "invalid_type" if ", got " in what else "invalid_value"
    where = f" for '{path}'" if path else ""
    return ProtocolError(code, f"Invalid value{where}: {what[0].lower()}{what[1:]}.", param=path or None)
