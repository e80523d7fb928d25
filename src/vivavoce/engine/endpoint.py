"""Whether words sound finished, for semantic turn detection: a speaker who stops after "and" goes on."""

__all__ = ["finished"]

_LEADS_ON = frozenset(
    "a an and are as at because but by can could do does er erm for from has have hmm how i if in into is it's its "
    "just like maybe my of on or our so than that the their then these this those to uh um was we well were what when "
    "where which who why will with would you your".split()
)
"""Words that English does not end a sentence with, or hardly ever, and the sounds of somebody thinking."""
_STANDS_ALONE = frozenset("how what when where who why".split())


def finished(text: str) -> bool:
    """No words are finished too: who made a sound and says no more is not waited for."""
    words = text.lower().replace(",", " ").split()
    if not words:
        return True
    last = words[-1].strip(".!?…")
    return last not in _LEADS_ON or (len(words) == 1 and last in _STANDS_ALONE)
