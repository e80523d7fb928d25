"""From a Python function to the JSON Schema of its arguments: type hints, defaults and docstring say it all.

Strict: what the model could not be told is refused when the server starts, in words, and nothing is guessed.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vivavoce.tools.interface import Caller, LoadError

__all__ = ["Signature", "signature"]

_JSON = "Use str, int, float, bool, list, dict, Literal, an Enum, a dataclass, a TypedDict, or one of these | None."
_ARGS = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_ARG = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.+)$")
_TYPES = {str: "string", int: "integer"}
_SECTION = re.compile(r"^[A-Z]\w*:\s*$")


@dataclass(frozen=True, slots=True)
class Signature:
    description: str
    parameters: dict[str, Any]
    """JSON Schema of an object, without references."""
    arguments: type[msgspec.Struct]
    """What the arguments of a call are held against; a field that was left out is ``UNSET``."""
    caller: str | None
    """The parameter that takes a :class:`Caller`."""


def signature(function: Callable[..., Any], name: str) -> Signature:
    """``name`` is what messages call it. Raises :class:`LoadError`."""
    description, described = _docstring(inspect.getdoc(function) or "")
    if not description:
        raise LoadError(f"{name} has no docstring; the model chooses a tool by what that says.")
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:
        raise LoadError(f"{name}: a type hint cannot be read: {error}.") from None
    fields: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    caller = None
    for each in inspect.signature(function).parameters.values():
        hint = _hint(each, hints, name)
        if hint is Caller:
            caller = each.name
            continue
        fields[each.name] = _described(hint, described.get(each.name))
        if each.default is not each.empty:
            defaults[each.name] = each.default
    arguments = _struct(fields, defaults, name)
    return Signature(description, _schema(arguments, defaults), arguments, caller)


def _hint(parameter: inspect.Parameter, hints: Mapping[str, Any], name: str) -> Any:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise LoadError(f"{name}: '{parameter}' has no name that the model could give it by.")
    if parameter.name not in hints:
        raise LoadError(f"{name}: the parameter '{parameter.name}' has no type hint.")
    return hints[parameter.name]


def _described(hint: Any, words: str | None) -> Any:
    """The description of a parameter is a text in its ``Annotated``, or its line in the docstring."""
    if get_origin(hint) is Annotated:
        texts = [extra for extra in get_args(hint)[1:] if isinstance(extra, str)]
        words = " ".join(texts) or words
    return Annotated[hint, Meta(description=words)] if words else hint


def _struct(fields: Mapping[str, Any], defaults: Mapping[str, Any], name: str) -> type[msgspec.Struct]:
    """Each parameter is looked at by itself first, so that a message names it."""
    for field, hint in fields.items():
        try:
            msgspec.json.schema(hint)
        except TypeError as error:
            why = str(error).strip().splitlines()[-1]
            raise LoadError(f"{name}: JSON has nothing for the parameter '{field}' ({why}). {_JSON}") from None
        except RecursionError:
            raise LoadError(f"{name}: the type of '{field}' holds itself.") from None
    described = [(field, hint | UnsetType, UNSET) if field in defaults else (field, hint)
                 for field, hint in fields.items()]  # fmt: skip
    return msgspec.defstruct("arguments", described, kw_only=True, forbid_unknown_fields=True)


def _schema(arguments: type[msgspec.Struct], defaults: Mapping[str, Any]) -> dict[str, Any]:
    whole = msgspec.json.schema(arguments)
    schema: dict[str, Any] = _inlined(whole, whole["$defs"], ())
    del schema["title"]
    for name, default in defaults.items():
        if isinstance(default, str | int | float):
            schema["properties"][name]["default"] = default
    return schema


def _inlined(schema: Any, definitions: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    """With each reference replaced by what it leads to: small models follow none."""
    if isinstance(schema, list):
        return [_inlined(each, definitions, within) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        if name in within:
            raise LoadError(f"The type '{name}' holds itself, which no model can be told of.")
        rest = {key: value for key, value in schema.items() if key not in ("$ref", "$defs")}
        return {**_inlined(definitions[name], definitions, (*within, name)), **rest}
    inlined = {key: _inlined(value, definitions, within) for key, value in schema.items() if key != "$defs"}
    if "enum" in inlined and "type" not in inlined:  # which servers that build a grammar of it look for
        kinds = {type(value) for value in inlined["enum"]}
        inlined |= {"type": _TYPES[kinds.pop()]} if len(kinds) == 1 and kinds <= _TYPES.keys() else {}
    return inlined


def _docstring(text: str) -> tuple[str, dict[str, str]]:
    """What a docstring says of the function, and of each parameter where it has a section ``Args:``."""
    about: list[str] = []
    described: dict[str, str] = {}
    section = name = ""
    for line in text.splitlines():
        if _SECTION.match(line):
            section = "args" if _ARGS.match(line) else "other"
        elif not section:
            about.append(line)
        elif section == "args" and (found := _ARG.match(line)):
            name = found[1]
            described[name] = found[2].strip()
        elif section == "args" and name and line.strip():
            described[name] += f" {line.strip()}"
    return "\n".join(about).strip(), described
