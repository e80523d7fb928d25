"""The list of rows is whole: each is borne by a test, or says why it does not apply."""

from tests.conformance.rows import borne, rows


def test_every_row_has_a_test_or_a_reason_and_not_both():
    known, tested = rows(), borne()
    assert not [id for id, row in known.items() if not row.not_here and id not in tested]
    assert not [id for id, row in known.items() if row.not_here and id in tested]


def test_no_test_bears_a_row_that_is_not_there():
    assert not borne().keys() - rows().keys()


def test_rows_are_numbered_without_a_gap():
    for letter, last in {"H": 46, "E": 60, "S": 46, "O": 58, "W": 17, "C": 48, "U": 9}.items():
        numbers = [int(id[2:]) for id in rows() if id[0] == letter]
        assert numbers == list(range(1, last + 1))
