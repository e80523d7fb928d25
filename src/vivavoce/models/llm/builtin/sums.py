"""Sums: "what is twelve times seven", "3 + 4 * 2", "fifteen percent of eighty", "subtract 3 from 10"."""

import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from vivavoce.models.llm.builtin.numbers import read_number, write_number
from vivavoce.models.llm.builtin.words import Words

__all__ = ["sums"]

_Apply = Callable[[Fraction, Fraction], Fraction]

_SPOKEN = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "%": "percent of"}
_PHRASES = {
    ("plus",): "+", ("added", "to"): "+",
    ("minus",): "-", ("take", "away"): "-", ("less",): "-",
    ("times",): "*", ("multiplied", "by"): "*", ("x",): "*", ("time",): "*",
    ("divided", "by"): "/", ("over",): "/",
    ("percent", "of"): "%", ("per", "cent", "of"): "%", ("percent", "off"): "%",
}  # fmt: skip
_ORDERS = {"add": "+", "multiply": "*", "divide": "/", "subtract": "-"}
_SOUNDS_LIKE = {"to": "two", "too": "two", "for": "four", "won": "one", "ate": "eight"}
_SYMBOLS = {"×": "times", "*": "times", "÷": "divided by", "/": "divided by", "+": "plus", "%": "percent", "−": "minus"}
_BINDING: tuple[dict[str, _Apply], ...] = (
    {"%": lambda part, whole: part * whole / 100},
    {"*": operator.mul, "/": operator.truediv},
    {"+": operator.add, "-": operator.sub},
)


def sums(words: Words) -> str | None:
    """The answer to the first sum in the words."""
    spelled = _spell_out(words.text)
    found = _order(spelled) or _longest(spelled)
    if found is None:
        return None
    numbers, operators = found
    question = write_number(numbers[0])
    for sign, number in zip(operators, numbers[1:], strict=True):
        question += f" {_SPOKEN[sign]} {write_number(number)}"
    try:
        result = _evaluate(numbers, operators)
    except ZeroDivisionError:
        return "Nothing can be divided by zero."
    about = "" if 10_000 % result.denominator == 0 else "about "
    return f"{question} is {about}{write_number(result)}."


def _spell_out(text: str) -> list[str]:
    for symbol, name in _SYMBOLS.items():
        text = text.replace(symbol, f" {name} ")
    text = re.sub(r"(?<=\d)\s*x\s*(?=\d)", " times ", text)
    text = re.sub(r"(?<![a-z])-\s*(?=\d)", " minus ", text.lower()).replace("-", " ")
    return [word.lower() for word in Words.of(text).original]


def _longest(words: Sequence[str]) -> tuple[list[Fraction], list[str]] | None:
    for start in range(len(words)):
        numbers, operators = _chain(words, start)
        if operators:
            return numbers, operators
    return None


def _chain(words: Sequence[str], at: int) -> tuple[list[Fraction], list[str]]:
    """number (operator number)*, as far as it goes."""
    numbers: list[Fraction] = []
    operators: list[str] = []
    while (read := _number(words, at, beside_operator=bool(numbers))) is not None:
        number, at = read
        numbers.append(number)
        sign = _operator(words, at)
        if sign is None:
            break
        operators.append(sign[0])
        at = sign[1]
    return numbers, operators[: max(0, len(numbers) - 1)]


def _number(words: Sequence[str], at: int, beside_operator: bool) -> tuple[Fraction, int] | None:
    if at < len(words) and words[at] in ("minus", "negative"):
        read = read_number(words, at + 1)
        return (-read[0], read[1]) if read else None
    if beside_operator and at < len(words) and words[at] in _SOUNDS_LIKE:
        words = [*words[:at], _SOUNDS_LIKE[words[at]], *words[at + 1 :]]
    return read_number(words, at)


def _operator(words: Sequence[str], at: int) -> tuple[str, int] | None:
    for phrase, sign in _PHRASES.items():
        if tuple(words[at : at + len(phrase)]) == phrase:
            return sign, at + len(phrase)
    return None


def _order(words: Sequence[str]) -> tuple[list[Fraction], list[str]] | None:
    """ "add 2 and 3", "divide ten by four", "subtract 3 from 10"."""
    for at, word in enumerate(words):
        first = read_number(words, at + 1) if word in _ORDERS else None
        if first is None or first[1] >= len(words) or words[first[1]] not in ("and", "to", "by", "from", "with"):
            continue
        second = read_number(words, first[1] + 1)
        if second is not None:
            pair = [first[0], second[0]]
            return (pair[::-1] if words[first[1]] == "from" else pair), [_ORDERS[word]]
    return None


def _evaluate(numbers: Sequence[Fraction], operators: Sequence[str]) -> Fraction:
    values, signs = list(numbers), list(operators)
    for level in _BINDING:
        at = 0
        while at < len(signs):
            if signs[at] in level:
                values[at : at + 2] = [level[signs[at]](values[at], values[at + 1])]
                del signs[at]
            else:
                at += 1
    return values[0]
