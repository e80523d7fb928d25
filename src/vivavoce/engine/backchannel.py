"""Whether the words of a short sound over an answer want the floor: "mhm" and "right" do not, "no" and "wait" do.

And whether they are the answer's own, come back from a loudspeaker.
"""

import re

__all__ = ["echoes", "wants_floor"]

MOST_WORDS = 4
"""Whoever says more has something to say."""
_ASSENT = frozenset(
    # listening, in English …
    "mhm mm mmhm mmm hm hmm uh-huh uhuh uh huh ah aha oh ooh wow yeah yep yes yup okay ok alright right sure good "
    "great nice cool really true exactly indeed fine got it i see go on of course interesting amazing "
    # … and elsewhere
    "ja genau klar gut stimmt achso oui ouais voilà sí claro vale bueno certo esatto sì"
    .split()
)  # fmt: skip
_NO_WORDS = frozenset("a an and the to of er erm um he her had huh ha haha".split())
"""What recognisers make of coughs, laughter and breath."""
SAME = 0.6
"""This share of the words heard is in what is being said: an echo. A recogniser hears it through a loudspeaker."""
LEAST_ECHO = 2
"""One word that is the same is chance."""


def wants_floor(text: str) -> bool:
    words = _words(text)
    return len(words) > MOST_WORDS or any(word not in _ASSENT and word not in _NO_WORDS for word in words)


def echoes(text: str, spoken: str) -> bool:
    """Whether this was heard because it is ``spoken``."""
    words, said = _words(text), set(_words(spoken))
    return len(words) >= LEAST_ECHO and sum(word in said for word in words) >= SAME * len(words)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'-]*\w", text.lower())
