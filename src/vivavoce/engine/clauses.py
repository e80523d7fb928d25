"""From words as a mind makes them to clauses as a voice speaks them.

A voice needs a clause to find its melody, and a listener wants the first sound at once: the first clause
ends at the first punctuation or after a few words, later ones at a sentence's end, or at a comma once they
are long enough.
"""

import re

__all__ = ["Clauses"]

FIRST_WORDS = 8
"""The first clause is cut after this many words, punctuation or not."""
LATER_WORDS = 30
COMMA_AFTER = 12
"""Words after which a comma ends a later clause."""

_SENTENCE_END = re.compile(r"[.!?…][\"')\]]*\s|\n")
_CLAUSE_END = re.compile(r"[.!?…,;:][\"')\]]*\s|\s[–—-]\s|\n")
_WORD = re.compile(r"\S+\s+")


class Clauses:
    def __init__(self) -> None:
        self._text = ""
        self._spoken = False

    def push(self, text: str) -> list[str]:
        """The clauses that are complete with these words. Together, with :meth:`finish`, they are exactly
        the text that was pushed."""
        self._text += text
        clauses = []
        while (end := self._end()) is not None:
            clauses.append(self._text[:end])
            self._text = self._text[end:]
            self._spoken = True
        return clauses

    def finish(self) -> str:
        """What is left when the message ends; may be empty."""
        rest, self._text, self._spoken = self._text, "", False
        return rest

    def _end(self) -> int | None:
        words = [match.end() for match in _WORD.finditer(self._text)]
        most, comma_after = (LATER_WORDS, COMMA_AFTER) if self._spoken else (FIRST_WORDS, 0)
        end = _SENTENCE_END.search(self._text)
        if comma_after < len(words):
            comma = _CLAUSE_END.search(self._text, words[comma_after - 1] if comma_after else 0)
            end = min(filter(None, (end, comma)), key=lambda match: match.end(), default=None)
        ends = ([end.end()] if end else []) + ([words[most - 1]] if len(words) >= most else [])
        return min(ends, default=None)
