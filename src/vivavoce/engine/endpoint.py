"""How likely words are finished, by the words alone: for semantic turn detection where no model listens, and for
what a model of sound cannot know, such as how long a telephone number is.

A speaker who stops after "and" or "um" goes on; so does who is in the middle of a number, an address, an e-mail
address or a word that is being spelled. Everything is lower-case words here, as a recogniser gives them, with or
without punctuation. English is known best; of some other languages the words that lead on.
"""

import re
from collections.abc import Callable, Sequence

__all__ = ["DICTATING", "finished"]

SURE, LIKELY, OPEN, DICTATING, LEADS_ON = 0.95, 0.75, 0.4, 0.2, 0.05
"""What comes of a rule: see :mod:`vivavoce.protocol.session.pauses` for how long each is waited."""

_THINKING = "ah eh er erm hm hmm mm uh uhm um"
_LEADING = {
    "en": "a an and are as at because but by can could do does for from has have how i if in into is it's its just "
    "like maybe my of on or our so than the their then to was well were what when where which who why will with would "
    "your",
    "de": "aber als am an auf aus bei bis das dass dein dem den der des die ein eine einen einer für ich im in ist "
    "mein mit nach oder ob seit sich sind so um und unser von vom war weil wenn wie wir zu zum zur",
    "es": "a al con cuando de del el en es la las lo los mi o para pero por porque que si sin su tu un una y yo",
    "fr": "à au aux avec car ce cette chez de des dans donc du elle en est et il je la le les leur mais mon ou où "
    "par parce pour que qui sa sans si son sur tu un une vous",
}
_STANDS_ALONE = frozenset("how what when where who why was wie wo qué quoi où".split())
_WHOLE = frozenset(
    "yes yeah yep no nope okay ok sure right thanks stop wait hello hi hey bye goodbye please exactly correct ja nein "
    "danke oui non merci sí gracias".split()
)
_UNFINISHED_PHRASES = ("you know", "i mean", "let me see", "let me think", "kind of", "sort of", "hold on")
_DIGITS = frozenset("zero oh one two three four five six seven eight nine ten double triple".split())
_WHOLE_NUMBERS = frozenset({10, 11, 16})
"""Digits of a telephone number with and without its country, and of a card."""
_SHORT_NUMBERS = frozenset({4, 5, 6, 7, 8, 9})
"""Digits of a PIN, a postcode, a code: it may be all of it, and it may be the half of a longer one."""
_NUMBER_IS_TOLD = re.compile(r"\b(number|code|pin|phone|zip|postcode|account|card|reference|order)\b.*\b(is|it's|to)\b")
_MAIL_IS_TOLD = re.compile(r"\be ?-?mail\b.*\b(is|it's|to)\b|\be ?-?mail (is|address)\b")
_DOMAINS = frozenset("com org net de edu gov io uk fr es eu info".split())
_ADDRESS_IS_TOLD = re.compile(r"\b(address is|i live (at|on|in)|located at|deliver(ed)? to|ship(ped)? (it )?to)\b")
_STREETS = frozenset("street st road rd avenue ave lane ln drive dr boulevard way court place square terrace".split())
_SPELLING = re.compile(r"\b(spell|spelled|spelt)\b")

Rule = Callable[[Sequence[str], str], float | None]
"""From the words and the whole text to an opinion, or None where it has none."""


def finished(text: str, language: str = "en") -> float:
    """0 to 1. No words are finished too: who made a sound and says no more is not waited for. ``language`` is
    ISO-639-1; of one that is not known here only punctuation and numbers count."""
    plain = text.lower().strip()
    words = re.findall(r"[\w'@.]*\w", plain)
    if not words:
        return SURE
    for rule in _RULES:
        if (opinion := rule(words, plain)) is not None:
            return opinion
    if len(words) > 1 or words[0] not in _STANDS_ALONE:
        leading = f"{_THINKING} {_LEADING.get(language[:2].lower(), '')}".split()
        if words[-1] in leading or plain.endswith(_UNFINISHED_PHRASES):
            return LEADS_ON
    return SURE if plain[-1] == "?" else LIKELY


def _short(words: Sequence[str], plain: str) -> float | None:
    return SURE if len(words) <= 2 and all(word in _WHOLE for word in words) else None


def _trailing_off(words: Sequence[str], plain: str) -> float | None:
    return DICTATING if plain.endswith((",", "…", "...", "-", ":")) else None


def _mail(words: Sequence[str], plain: str) -> float | None:
    if words[-1] in ("dot", "underscore", "dash"):
        return LEADS_ON
    written = "@" in words[-1]
    if written or _MAIL_IS_TOLD.search(plain) or words[0] in ("www", "http", "https"):
        ending = words[-1].rpartition(".")[2]
        return LIKELY if ending in _DOMAINS and (written or "dot" in words[-2:]) else DICTATING
    return None


def _spelled(words: Sequence[str], plain: str) -> float | None:
    letters = _tail(words, lambda word: len(word.rstrip(".")) == 1 and word[0].isalpha())
    return DICTATING if letters >= 2 or (letters and _SPELLING.search(plain)) else None


def _number(words: Sequence[str], plain: str) -> float | None:
    """Digits one by one. "At seven" is no dictation; three in a row are, or one after "my number is"."""
    spoken = _tail(words, lambda word: word in _DIGITS or word.isdigit())
    if not spoken:
        return None
    digits = sum(len(word) if word.isdigit() else 1 for word in words[-spoken:])
    told = _NUMBER_IS_TOLD.search(plain)
    if digits in _WHOLE_NUMBERS:
        return LIKELY
    if digits in _SHORT_NUMBERS and (told or spoken > 1):
        return OPEN
    return DICTATING if told or spoken > 2 else None


def _address(words: Sequence[str], plain: str) -> float | None:
    """After a house number the street is still to come, and after its name whether it is a road or a lane."""
    if not (told := _ADDRESS_IS_TOLD.search(plain)):
        return None
    rest = plain[told.end() :].split()
    if not rest or (len(rest) < 6 and not _STREETS & set(rest)):
        return DICTATING
    return OPEN if rest[-1].strip(".,") in _STREETS else None


def _tail(words: Sequence[str], is_one: Callable[[str], bool]) -> int:
    """How many of the last words are."""
    count = 0
    while count < len(words) and is_one(words[-1 - count]):
        count += 1
    return count


_RULES: tuple[Rule, ...] = (_short, _trailing_off, _mail, _spelled, _number, _address)
