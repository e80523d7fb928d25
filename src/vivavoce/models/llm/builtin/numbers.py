"""Numbers in words and digits, both ways: "a hundred and five", "3.5", "two point five"."""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["read_number", "write_number"]

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


def read_number(words: Sequence[str], start: int = 0) -> tuple[Fraction, int] | None:
    """The number that begins at ``start`` and the index after it; None where there is none."""
    digits = _digits(words[start]) if start < len(words) else None
    whole = (digits, start + 1) if digits is not None else _read_words(words, start)
    if whole is None:
        return None
    value, at = whole
    if digits is not None and at < len(words) and words[at] in _SCALES:
        value, at = value * _SCALES[words[at]], at + 1
    return _read_decimals(words, value, at)


def write_number(value: Fraction) -> str:
    """Whole numbers whole, others with four decimals at most."""
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.4f}".rstrip("0").rstrip(".")


def _digits(word: str) -> Fraction | None:
    plain = word.replace(",", "")
    return Fraction(plain) if plain.replace(".", "", 1).isdecimal() and plain.isascii() else None


def _read_words(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    total = current = 0
    room = 1_000_000_000_000  # what the next word has to be smaller than: "twenty" leaves room for 1 to 9
    at = start
    while at < len(words):
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        if (small := _SMALL.get(word, _TENS.get(word))) is not None and small < room:
            current, room = current + small, 10 if word in _TENS else 1
        elif word == "hundred" and at > start and 0 < current < 10:
            current, room = current * 100, 100
        elif word in _SCALES and current:
            total, current, room = total + current * _SCALES[word], 0, _SCALES[word]
        elif word == "a" and (following == "hundred" or following in _SCALES) and not current:
            current = 1
        elif not (word == "and" and room >= 100 and at > start and (following in _SMALL or following in _TENS)):
            break
        at += 1
    return (Fraction(total + current), at) if at > start else None


def _read_decimals(words: Sequence[str], value: Fraction, at: int) -> tuple[Fraction, int]:
    if at + 1 >= len(words) or words[at] != "point" or words[at + 1] not in _SMALL:
        return value, at
    at, decimals = at + 1, ""
    while at < len(words) and _SMALL.get(words[at], 10) < 10:
        decimals, at = decimals + str(_SMALL[words[at]]), at + 1
    return (value + Fraction(int(decimals), 10 ** len(decimals)), at) if decimals else (value, at)
