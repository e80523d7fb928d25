"""Numbers and sums, in words and in digits."""

from fractions import Fraction

import pytest

from tests.models.llm.builtin.conversation import reply
from vivavoce.models.llm.builtin.numbers import read_number, write_number
from vivavoce.models.llm.builtin.sums import sums
from vivavoce.models.llm.builtin.words import Words


@pytest.mark.parametrize(
    ("words", "value", "taken"),
    [("seven", "7", 1), ("twenty one", "21", 2), ("two three", "2", 1), ("a hundred and five", "105", 4),
     ("three hundred twenty one thousand four hundred", "321400", 7), ("two million", "2000000", 2),
     ("1,250", "1250", 1), ("3.5 million", "3500000", 2), ("two point five", "2.5", 3), ("zero point o", "0", 1),
     ("twelve and five", "12", 1), ("one thousand and one nights", "1001", 4)],
)  # fmt: skip
def test_reading_numbers(words: str, value: str, taken: int) -> None:
    assert read_number(words.split()) == (Fraction(value), taken)


@pytest.mark.parametrize("words", ["", "and five", "hundred", "point five", "1.2.3", "people"])
def test_no_number(words: str) -> None:
    assert read_number(words.split()) is None


def test_writing_numbers() -> None:
    assert [write_number(Fraction(text)) for text in ("84", "1250000", "2.5", "10/3")] == [
        "84",
        "1,250,000",
        "2.5",
        "3.3333",
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what is twelve times seven", "12 times 7 is 84."),
        ("what is 12 * 7 + 3?", "12 times 7 plus 3 is 87."),
        ("2 + 3 × 4", "2 plus 3 times 4 is 14."),
        ("what is twelve time seven", "12 times 7 is 84."),
        ("what is two plus to", "2 plus 2 is 4."),
        ("fifteen percent of eighty", "15 percent of 80 is 12."),
        ("15% of 80", "15 percent of 80 is 12."),
        ("a hundred and five minus six", "105 minus 6 is 99."),
        ("minus three plus ten", "-3 plus 10 is 7."),
        ("10-3", "10 minus 3 is 7."),
        ("3x4", "3 times 4 is 12."),
        ("ten divided by three", "10 divided by 3 is about 3.3333."),
        ("divide ten by four", "10 divided by 4 is 2.5."),
        ("subtract 3 from 10", "10 minus 3 is 7."),
        ("add two and three", "2 plus 3 is 5."),
        ("what is 5 over 0", "Nothing can be divided by zero."),
    ],
)
async def test_sums(question: str, answer: str) -> None:
    assert await reply(question) == answer


@pytest.mark.parametrize("other", ["i have two dogs", "what time is it", "three or four", "times are hard", "", "plus"])
def test_no_sum(other: str) -> None:
    assert sums(Words.of(other)) is None
