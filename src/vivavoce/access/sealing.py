"""What is kept for later, but not for those who read the database: AES-256-GCM with the server's own secret."""

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["MIN_SECRET", "Sealer"]

MIN_SECRET = 32
"""Characters or bytes of a secret, at least."""
_NONCE = 12
"""Bytes (NIST SP 800-38D, 8.2); random, and far fewer than 2**32 seals are made with one secret."""


class Sealer:
    """``secret``: of any shape, from MIN_SECRET bytes up. ``random(n)`` gives n unguessable bytes."""

    def __init__(self, secret: bytes, random: Callable[[int], bytes]) -> None:
        if len(secret) < MIN_SECRET:
            raise ValueError(f"a secret has {MIN_SECRET} bytes at least")
        self._cipher = AESGCM(hashlib.sha256(b"vivavoce sealing\0" + secret).digest())
        self._random = random

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """``about`` says what it belongs to: sealed for one thing, it cannot be opened as another's."""
        nonce = self._random(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, about)

    def open(self, sealed: bytes, about: bytes) -> bytes | None:
        """None for what was sealed with another secret, belongs to something else, or was changed."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
        except (InvalidTag, ValueError):
            return None
