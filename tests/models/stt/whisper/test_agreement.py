"""Words that two answers in a row agree on stay; those behind them may still change."""

from vivavoce.models.stt.whisper.agreement import Agreement


def test_what_two_answers_agree_on_is_steady():
    heard = Agreement()
    said = [
        (" what", ""),
        (" what time", " what"),
        (" I'm his it", " what"),  # what was said is known to the recogniser: these are the words behind it
        (" I'm his hat", " what I'm his"),
        (" and", " what I'm his"),
        (" and", " what I'm his and"),
        ("", " what I'm his and"),
    ]
    for words, steady in said:
        heard.hear([f" {word}" for word in words.split()])
        assert heard.steady == steady


def test_what_is_forgotten_counts_no_more():
    heard = Agreement()
    for _ in range(2):
        heard.hear([" it's", " late.", " Good"])
    heard.forget(" it's late.")
    assert heard.steady == " Good"
