"""Choosing a tool by its name's words, and saying in words what it gave back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.models.interfaces import Message, Tool
from vivavoce.models.llm.builtin.arguments import fill, name_words
from vivavoce.models.llm.builtin.words import Words

__all__ = ["Choice", "choose", "force", "result_in_words"]

_EMPTY_WORDS = set(
    "get fetch find set do run call make show look up lookup current the a an of for to in by tool function my".split()
)
LONGEST_RESULT = 400
"""Characters of a tool's result that are said; nobody listens to more."""


@dataclass(frozen=True, slots=True)
class Choice:
    tool: Tool
    arguments: str
    """JSON."""
    missing: tuple[str, ...] = ()
    """Required parameters that the words do not give."""


def choose(tools: Sequence[Tool], words: Words) -> Choice | None:
    """The tool whose name the words match best: every telling word of it, or half of them when the
    words fill all that it requires as well."""
    best: tuple[float, int] = (0.0, 0)
    chosen = None
    for tool in tools:
        likeness = _likeness(tool.name, words)
        arguments = fill(tool.parameters, words)
        rank = (likeness, len(arguments.values) - len(arguments.missing))
        fits = likeness == 1 or (likeness >= 0.5 and not arguments.missing and arguments.values)
        if fits and rank > best:
            best = rank
            chosen = Choice(tool, json.dumps(arguments.values), tuple(arguments.missing))
    return chosen


def force(tools: Sequence[Tool], words: Words) -> Choice | None:
    """One of ``tools`` whatever the words, the best where they say; None without tools."""
    chosen = choose(tools, words)
    tool = chosen.tool if chosen else next(iter(tools), None)
    return Choice(tool, json.dumps(fill(tool.parameters, words, forced=True).values)) if tool else None


def _likeness(name: str, words: Words) -> float:
    telling = [word for word in name_words(name) if word not in _EMPTY_WORDS] or name_words(name)
    heard = {_stem(word) for word in words.lower}
    return sum(_stem(word) in heard for word in telling) / len(telling)


def _stem(word: str) -> str:
    for ending in ("'s", "ing", "es", "s", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def result_in_words(results: Sequence[Message]) -> str:
    """What the tools gave back: JSON is read out as names and values, text as it is."""
    return " ".join(_sentence(_spoken(_parsed(result.text))) for result in results)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _spoken(value: Any) -> str:
    if isinstance(value, Mapping):
        if value.get("error"):
            return f"that did not work: {_spoken(value['error'])}"
        return ", ".join(f"{' '.join(name_words(str(key)))} {_spoken(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_spoken, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).strip()


def _sentence(text: str) -> str:
    if not text:
        return "Done."
    if len(text) > LONGEST_RESULT:
        text = text[:LONGEST_RESULT].rsplit(" ", 1)[0] + "…"
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")
