from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.clauses import FIRST_WORDS, LATER_WORDS, Clauses


def cut(text: str, step: int = 3) -> list[str]:
    clauses = Clauses()
    found = [clause for at in range(0, len(text), step) for clause in clauses.push(text[at : at + step])]
    return [*found, clauses.finish()]


def test_the_first_clause_ends_at_the_first_punctuation():
    assert cut("Well, it is noon in London. And so on.") == ["Well, ", "it is noon in London. ", "And so on."]


def test_the_first_clause_is_eight_words_at_most():
    first, *_ = cut("one two three four five six seven eight nine ten eleven twelve")
    assert len(first.split()) == FIRST_WORDS


def test_a_later_clause_ends_at_a_sentence_or_at_a_comma_once_it_is_long():
    text = "Hello. Short, very short. " + "word " * 14 + "then, a comma, and more."
    clauses = cut(text)
    assert clauses[1] == "Short, very short. "
    assert clauses[2].endswith("then, ")


def test_numbers_are_not_cut_at_their_points():
    assert cut("It costs 3.50 dollars today.")[0] == "It costs 3.50 dollars today."


def test_what_never_ends_is_cut_after_so_many_words():
    clauses = cut("Go. " + "word " * 100)
    assert max(len(clause.split()) for clause in clauses) == LATER_WORDS


@given(st.text(alphabet="ab .,!?\n–", max_size=300), st.integers(1, 20))
def test_clauses_are_exactly_the_text(text: str, step: int):
    assert "".join(cut(text, step)) == text
