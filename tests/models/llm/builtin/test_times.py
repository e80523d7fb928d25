"""The time and the date, asked as people ask and as recognisers write it down."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.models.llm.builtin.conversation import NOW, reply
from vivavoce.models.llm.builtin.places import find_place
from vivavoce.models.llm.builtin.times import time
from vivavoce.models.llm.builtin.words import Words


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What time is it in London?", "It is 3:42 in the afternoon in London."),
        ("what time is it in london", "It is 3:42 in the afternoon in London."),
        ("what time is it and london", "It is 3:42 in the afternoon in London."),
        ("what time is it in londen", "It is 3:42 in the afternoon in London."),
        ("what's the time in mumbai please", "It is 9:12 in the evening in Mumbai."),
        ("What time is it in San Francisco?", "It is 7:42 in the morning in San Francisco."),
        ("what time is it in beijing", "It is 11:42 at night in Beijing."),
        ("what time is it in washington", "It is 10:42 in the morning in Washington."),
        ("tell me the time in new york city", "It is 10:42 in the morning in New York City."),
        ("can you tell me what time it is in los angeles", "It is 7:42 in the morning in Los Angeles."),
        ("What time is it in Sydney, Australia?", "It is 2:42 in the morning in Sydney."),
        ("time in tokyo", "It is 12:42 in the morning in Tokyo."),
        ("what time is it in germany", "It is 4:42 in the afternoon in Germany."),
        ("what is the time in the u s", "It is 10:42 in the morning in U S, by New York time."),
        ("what time is it in the united states", "It is 10:42 in the morning in the United States, by New York time."),
        ("what time is it in india right now", "It is 9:12 in the evening in India."),
        ("what time is it", "It is 3:42 in the afternoon."),
        ("what is the current time please", "It is 3:42 in the afternoon."),
        ("what time is it in atlantis", "I do not know where Atlantis is. Try a bigger city near it, or the country."),
        ("what day is it", "It is Friday, November 20, 2026."),
        ("what's today's date", "It is Friday, November 20, 2026."),
        ("what day is it in tokyo", "In Tokyo it is Saturday, November 21, 2026."),
    ],
)
async def test_questions(question: str, answer: str) -> None:
    assert await reply(question) == answer


@pytest.mark.parametrize(
    "other",
    ["do you have time for me", "what is ten times ten", "when was the first time", "what time does the bus go"],
)
def test_no_question_for_the_time(other: str) -> None:
    assert time(Words.of(other), NOW) is None


@pytest.mark.parametrize(
    ("hour", "minute", "spoken"),
    [(0, 0, "midnight"), (12, 0, "noon"), (0, 5, "12:05 in the morning"), (9, 0, "9 o'clock in the morning"),
     (12, 30, "12:30 in the afternoon"), (18, 1, "6:01 in the evening"), (22, 0, "10 o'clock at night")],
)  # fmt: skip
def test_the_hours_of_the_day(hour: int, minute: int, spoken: str) -> None:
    now = datetime(2026, 1, 1, hour, minute, tzinfo=ZoneInfo("UTC"))
    assert time(Words.of("what time is it"), now) == f"It is {spoken}."


@pytest.mark.parametrize(
    ("place", "zone"),
    [("france", "Europe/Paris"), ("new zealand", "Pacific/Auckland"), ("russia", "Europe/Moscow"),
     ("ho chi minh", "Asia/Ho_Chi_Minh"), ("geneva", "Europe/Zurich"), ("rio", "America/Sao_Paulo"),
     ("san fransisco", "America/Los_Angeles"), ("uk", "Europe/London"), ("hawaii", "Pacific/Honolulu")],
)  # fmt: skip
def test_places(place: str, zone: str) -> None:
    found = find_place(place.split())
    assert found
    assert found.zone.key == zone


def test_no_place() -> None:
    assert find_place("what is it about".split()) is None
