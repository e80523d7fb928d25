"""The script of ``bench/turn_taking.py``: what people say, with their pauses, and what ought to come of it."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["OVERHEARD", "TURNS", "VOICES", "Overheard", "Turn"]

VOICES = ("slt", "rms", "awb", "kal16")
"""Of flite: two women's and two men's, of which the last is its oldest."""


@dataclass(frozen=True)
class Turn:
    """One turn: phrases, with a pause of so many milliseconds after each but the last. ``kind`` names its row."""

    kind: str
    said: Sequence[str | int]


def _turns(kind: str, *said: Sequence[str | int]) -> list[Turn]:
    return [Turn(kind, each) for each in said]


TURNS: Sequence[Turn] = [
    *_turns(
        "whole sentences",
        ["What is the time in London?"],
        ["Twelve times seven."],
        ["Tell me something about the history of Paris."],
        ["I think that is all, thank you."],
        ["Book a table for two at seven."],
        ["Yes."],
        ["No, that is not what I meant."],
        ["How far is it to the moon?"],
        ["Call me at eight."],
        ["Please turn the light off."],
    ),
    *_turns(
        "pauses in mid-sentence",
        ["Tell me about Paris and", 700, "the best time to go there."],
        ["I would like to", 900, "change my booking."],
        ["What I wanted to ask is, um", 1100, "whether you are open on Sunday."],
        ["If it rains tomorrow then", 600, "we could go to the museum."],
        ["Could you send this to my", 800, "brother in London?"],
        ["I was there because", 1000, "my sister lives there."],
        ["First the bread", 350, "and then the milk."],
        ["Last summer", 400, "we went to the sea."],
    ),
    *_turns(
        "dictated numbers",
        ["My number is five five five", 600, "one two three", 600, "four five six seven."],
        ["My phone number is zero three zero", 700, "four four one nine two eight six."],
        ["The code is four two", 700, "one seven."],
        ["The account number is one one two", 800, "three five eight", 800, "one three two one."],
    ),
    *_turns(
        "addresses and spelling",
        ["I live at forty two", 700, "Maple Street."],
        ["My email is john", 600, "at example", 600, "dot com."],
        ["It is spelled B A R", 700, "N E S."],
        ["Ship it to ten", 800, "Downing Street."],
    ),
]


@dataclass(frozen=True)
class Overheard:
    """A sound over an answer. ``sound`` is a phrase, or so many milliseconds of coughing; ``heard`` is what a good
    recogniser makes of it."""

    kind: str
    sound: str | int
    heard: str
    interrupts: bool


OVERHEARD: Sequence[Overheard] = [
    Overheard("a cough", 180, "", interrupts=False),
    Overheard("a cough", 320, "", interrupts=False),
    Overheard("a cough", 450, "huh", interrupts=False),
    Overheard("mhm, right, okay", "Hmm.", "hmm", interrupts=False),
    Overheard("mhm, right, okay", "Uh huh.", "uh huh", interrupts=False),
    Overheard("mhm, right, okay", "Right.", "right", interrupts=False),
    Overheard("mhm, right, okay", "Okay.", "okay", interrupts=False),
    Overheard("a short interruption", "Stop.", "stop", interrupts=True),
    Overheard("a short interruption", "No.", "no", interrupts=True),
    Overheard("a short interruption", "Wait a second.", "wait a second", interrupts=True),
    Overheard("speaking over it", "Actually I meant tomorrow.", "actually i meant tomorrow", interrupts=True),
    Overheard("speaking over it", "That is not what I asked for.", "that is not what i asked for", interrupts=True),
]
