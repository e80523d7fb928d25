"""How likely words are finished, by themselves."""

import pytest

from vivavoce.engine.endpoint import DICTATING, LEADS_ON, LIKELY, OPEN, SURE, finished


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        ("", SURE),
        ("yes", SURE),
        ("Yes, please.", SURE),
        ("stop", SURE),
        ("what is the time in london", LIKELY),
        ("What is the time in London?", SURE),
        ("thank you", LIKELY),
        ("what", LIKELY),
        # on the way to something
        ("tell me about paris and", LEADS_ON),
        ("i would like to", LEADS_ON),
        ("um", LEADS_ON),
        ("i think it was, you know", LEADS_ON),
        ("so i was thinking…", DICTATING),
        ("first,", DICTATING),
        # numbers
        ("call me at seven", LIKELY),
        ("twelve times seven", LIKELY),
        ("my number is", LEADS_ON),
        ("my number is five", DICTATING),
        ("my number is five five five", DICTATING),
        ("five five five", DICTATING),
        ("the code is four two one seven", OPEN),
        ("the code is 4217", OPEN),
        ("my number is five five five one two three four", OPEN),
        ("my number is five five five one two three four five six seven", LIKELY),
        ("my number is 555 123 4567", LIKELY),
        # addresses
        ("i live at forty two", DICTATING),
        ("i live at forty two maple", DICTATING),
        ("i live at forty two maple street", OPEN),
        ("ship it to ten downing street in london england", LIKELY),
        # mail
        ("my email is john", DICTATING),
        ("my email is john at", DICTATING),
        ("my email is john dot", LEADS_ON),
        ("my email is john at example", DICTATING),
        ("my email is john at example dot com", LIKELY),
        ("john@example.com", LIKELY),
        ("john@example", DICTATING),
        # spelled
        ("that is b a r", DICTATING),
        ("you spell it with a k", DICTATING),
        ("plan b", LIKELY),
    ],
)
def test_the_words_say_whether_they_are_finished(text, opinion):
    assert finished(text) == opinion


@pytest.mark.parametrize(
    ("language", "text", "opinion"),
    [
        ("de", "ich möchte nach", LEADS_ON),
        ("de", "ich möchte nach hause", LIKELY),
        ("fr-FR", "je voudrais un", LEADS_ON),
        ("es", "quiero un café", LIKELY),
        ("pl", "poproszę kawę i", LIKELY),  # of what is not known here, the sound of thinking counts
        ("pl", "poproszę um", LEADS_ON),
    ],
)
def test_in_other_languages(language, text, opinion):
    assert finished(text, language) == opinion
