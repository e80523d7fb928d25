"""Fills a tool's parameters (JSON Schema) from the words of a request.

Choices are found by name, numbers by being numbers, switches by "on" and "off", and texts by the
preposition that goes with the parameter: a city stands after "in", a recipient after "to".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vivavoce.models.llm.builtin.numbers import read_number
from vivavoce.models.llm.builtin.words import Words

__all__ = ["NOTHING", "Arguments", "fill", "name_words"]

NOTHING: Any = object()
"""The words say nothing about this parameter."""

_Schema = Mapping[str, Any]

_PLACES = {"city", "location", "place", "country", "town", "where", "region", "address", "destination"}
_TEXTS = {"text", "message", "content", "body"}
_INTRODUCED_BY = (
    (_PLACES, ("in", "for", "at", "to", "of", "from", "near")),
    ({"from", "origin", "source", "sender"}, ("from",)),
    ({"to", "recipient", "target", "contact", "who"}, ("to", "for")),
    (_TEXTS, ("saying", "says", "say", "that", "message")),
    ({"query", "question", "topic", "subject", "term", "search", "q"}, ("for", "about", "on", "of")),
    ({"name", "title", "label", "user"}, ("called", "named", "name", "titled", "is", "for")),
)
_ANY = ("in", "for", "about", "to", "of", "called", "named", "on", "at", "with", "that", "from")
_DAYS = tuple("today tomorrow yesterday tonight monday tuesday wednesday thursday friday saturday sunday".split())
_ENDS = {"in", "for", "at", "to", "from", "with", "about", "saying", "please", "and", "now", "by", "on", *_DAYS}
_OFF = ("off", "not", "no", "don't", "disable", "without", "false", "never")
_ON = ("on", "yes", "enable", "true")


class Arguments:
    """What could be filled, and the names of the required ones that could not."""

    def __init__(self, values: Mapping[str, Any], missing: Sequence[str]) -> None:
        self.values, self.missing = values, missing


def fill(schema: _Schema, words: Words, *, forced: bool = False) -> Arguments:
    """``forced`` invents harmless values for what is required and was not said."""
    properties: _Schema = schema.get("properties") or {}
    required = schema.get("required") or ()
    heard = _Heard(words, only=len(properties) == 1)
    values, missing = {}, []
    for name, field in properties.items():
        value = heard.value(name, field)
        if value is NOTHING and name in required:
            if forced:
                value = _harmless(field, words)
            else:
                missing.append(name)
        if value is not NOTHING:
            values[name] = value
    return Arguments(values, missing)


def name_words(name: str) -> list[str]:
    """ "getWeather_for-city" as ["get", "weather", "for", "city"]."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").replace("-", " ").lower().split()


class _Heard:
    """The words, some of them used up by the parameters before."""

    def __init__(self, words: Words, only: bool) -> None:
        self._words, self._only = words, only
        self._used: set[int] = set()

    def value(self, name: str, field: _Schema) -> Any:
        if "const" in field:
            return field["const"]
        if "enum" in field:
            return self._choice(field["enum"])
        match _type(field):
            case "boolean":
                return self._switch(name)
            case "integer" | "number" as kind:
                return self._number(name, whole=kind == "integer")
            case "string":
                return self._text(set(name_words(name)))
            case "array":
                one = self.value(name, field.get("items") or {})
                return NOTHING if one is NOTHING else [one]
            case "object":
                inner = {key: self.value(key, part) for key, part in (field.get("properties") or {}).items()}
                return {key: part for key, part in inner.items() if part is not NOTHING} or NOTHING
            case _:
                return NOTHING

    def _choice(self, choices: Sequence[Any]) -> Any:
        for choice in choices:
            if self._words.has_phrase(" ".join(name_words(str(choice)))) or self._words.has(str(choice).lower()):
                return choice
        return NOTHING

    def _switch(self, name: str) -> Any:
        if self._words.has(*_OFF):
            return False
        return True if self._words.has(*_ON, *name_words(name)) else NOTHING

    def _number(self, name: str, whole: bool) -> Any:
        """One that follows the parameter's name, else the next."""
        lower = self._words.lower
        named = [at + 1 for at, word in enumerate(lower) if word in name_words(name)]
        for start in [*named, *range(len(lower))]:
            read = None if start in self._used else read_number(lower, start)
            if read and not (whole and read[0].denominator != 1):
                self._used.update(range(start, read[1]))
                return int(read[0]) if read[0].denominator == 1 else float(read[0])
        return NOTHING

    def _text(self, name: set[str]) -> Any:
        if name & {"date", "day", "when"}:
            return next((word for word in self._words.lower if word in _DAYS), NOTHING)
        own = [leads for names, leads in _INTRODUCED_BY if name & names]
        prepositions = own[0] if own else _ANY
        free = name & _TEXTS or (self._only and not name & _PLACES)
        for preposition in prepositions:
            for at, word in enumerate(self._words.lower):
                if word == preposition and (span := self._span(at + 1, to_the_end=bool(free))):
                    self._used.update(span)
                    return self._written(span, as_name=bool(name & (_PLACES | {"name", "origin"})))
        return NOTHING

    def _span(self, start: int, to_the_end: bool) -> list[int]:
        span = []
        for at in range(start, len(self._words.lower)):
            word = self._words.lower[at]
            if at in self._used or (not to_the_end and word in _ENDS):
                break
            span.append(at)
        while span and self._words.lower[span[-1]] in ("please", "now", "right", "the"):
            span.pop()
        while span and self._words.lower[span[0]] in ("the", "a", "an"):
            span.pop(0)
        return span

    def _written(self, span: Sequence[int], as_name: bool) -> str:
        text = " ".join(self._words.original[at] for at in span)
        # A recogniser writes everything small.
        return text.title() if as_name and self._words.text.islower() else text


def _type(field: _Schema) -> str:
    kind = field.get("type")
    if isinstance(kind, str):
        return kind
    kinds = kind if isinstance(kind, list) else [option.get("type") for option in field.get("anyOf") or ()]
    return next((str(one) for one in kinds if one != "null"), "string")


def _harmless(field: _Schema, words: Words) -> Any:
    if "default" in field:
        return field["default"]
    if field.get("enum"):
        return field["enum"][0]
    match _type(field):
        case "boolean":
            return False
        case "integer" | "number":
            return field.get("minimum", 0)
        case "array":
            return []
        case "object":
            return dict(fill(field, words, forced=True).values)
        case _:
            return words.text
