"""What a function's hints and docstring tell the model, and what they cannot tell it."""

import dataclasses
import datetime
import enum
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypedDict

import pytest

from vivavoce.tools.hints import signature
from vivavoce.tools.interface import Caller, LoadError


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclasses.dataclass
class Place:
    city: str
    country: str = "AT"


class Named(TypedDict):
    name: str


@dataclasses.dataclass
class Chain:
    next: "Chain | None"


def hinted(hint: Any, **default: Any) -> Callable[..., Any]:
    """A function of one parameter ``it``."""

    def function(it: Any) -> None:
        """Does it."""

    function.__annotations__["it"] = hint
    function.__defaults__ = tuple(default.values()) or None
    return function


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
        (Literal[1, 2], {"enum": [1, 2], "type": "integer"}),
        (Literal["a", 1], {"enum": [1, "a"]}),
        (Unit, {"title": "Unit", "enum": ["c", "f"], "type": "string"}),
        (datetime.date, {"type": "string", "format": "date"}),
        (Annotated[str, "a city"], {"type": "string", "description": "a city"}),
        (
            Place,
            {
                "title": "Place",
                "type": "object",
                "properties": {"city": {"type": "string"}, "country": {"type": "string", "default": "AT"}},
                "required": ["city"],
            },
        ),
        (
            list[Named],
            {
                "type": "array",
                "items": {
                    "title": "Named",
                    "type": "object",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                },
            },
        ),
    ],
)
def test_a_hint_becomes_a_schema(hint, schema):
    assert signature(hinted(hint), "it").parameters == {
        "type": "object",
        "properties": {"it": schema},
        "required": ["it"],
        "additionalProperties": False,
    }


def test_the_docstring_tells_of_the_tool_and_of_its_parameters():
    def weather(city: str, unit: Unit = Unit.CELSIUS, days: int = 3, *, detailed: bool = False) -> str:
        """The weather in a city.

        For the next few days.

        Args:
            city: Which one, in English,
                or as its people write it.
            days (int): How many.

        Returns:
            city: not a parameter at all.
        """
        return ""

    found = signature(weather, "weather")
    assert found.description == "The weather in a city.\n\nFor the next few days."
    assert found.parameters["required"] == ["city"]
    assert found.parameters["properties"] == {
        "city": {"type": "string", "description": "Which one, in English, or as its people write it."},
        "unit": {"title": "Unit", "enum": ["c", "f"], "type": "string"},
        "days": {"type": "integer", "description": "How many.", "default": 3},
        "detailed": {"type": "boolean", "default": False},
    }


def test_the_caller_is_none_of_the_models_business():
    def who(caller: Caller, city: str = "") -> str:
        """Who asks."""
        return ""

    found = signature(who, "who")
    assert found.caller == "caller"
    assert list(found.parameters["properties"]) == ["city"]


def no_docstring(city: str) -> str:
    return city


def no_hint(city) -> str:
    """Does it."""
    return str(city)


def any_number(*cities: str) -> str:
    """Does it."""
    return ""


def keywords(**cities: str) -> str:
    """Does it."""
    return ""


def positional(city: str, /) -> str:
    """Does it."""
    return city


def unknown(city: "Nowhere") -> str:  # type: ignore[name-defined]  # noqa: F821
    """Does it."""
    return ""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (no_docstring, "it has no docstring; the model chooses a tool by what that says."),
        (no_hint, "it: the parameter 'city' has no type hint."),
        (any_number, "it: '*cities: str' has no name that the model could give it by."),
        (keywords, "it: '**cities: str' has no name that the model could give it by."),
        (positional, "it: 'city: str' has no name that the model could give it by."),
        (unknown, "it: a type hint cannot be read: name 'Nowhere' is not defined."),
        (hinted(complex), "it: JSON has nothing for the parameter 'it' (type <class 'complex'> is not supported)."),
        (hinted(Callable[[int], int]), "it: JSON has nothing for the parameter 'it'"),
        (hinted(Place | Named), "it: JSON has nothing for the parameter 'it' (Type unions may not contain more than"),
        (hinted(Chain), "The type 'Chain' holds itself, which no model can be told of."),
    ],
)
def test_what_no_model_could_be_told_is_refused_in_words(function, words):
    with pytest.raises(LoadError) as refused:
        signature(function, "it")
    assert str(refused.value).startswith(words)
