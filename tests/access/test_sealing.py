"""What is sealed is opened by the same secret, for the same thing, unchanged; and by nothing else."""

import pytest

from tests.support.access import SECRET, counting
from vivavoce.access.sealing import Sealer


def test_it_opens_what_it_sealed_and_shows_nothing_of_it():
    sealer = Sealer(SECRET, counting())
    sealed = sealer.seal(b"sk-owner", b"share_1")
    assert b"sk-owner" not in sealed
    assert sealer.open(sealed, b"share_1") == b"sk-owner"
    assert sealer.seal(b"sk-owner", b"share_1") != sealed


def test_nothing_else_opens_it():
    sealer = Sealer(SECRET, counting())
    sealed = sealer.seal(b"sk-owner", b"share_1")
    assert sealer.open(sealed, b"share_2") is None
    assert sealer.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"share_1") is None
    assert sealer.open(b"", b"share_1") is None
    assert Sealer(SECRET[::-1], counting()).open(sealed, b"share_1") is None


def test_a_short_secret_is_none():
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short", counting())
