"""Keys that are drawn at random, and the hashes under which they are kept."""

import base64
import hashlib
from collections.abc import Callable

__all__ = ["hash_of", "new_key"]

KEY_BYTES = 20
"""160 random bits."""


def new_key(prefix: str, random: Callable[[int], bytes]) -> str:
    return prefix + base64.b32encode(random(KEY_BYTES)).decode().lower()


def hash_of(key: str) -> bytes:
    """Since a key is random, a plain hash is as strong as a slow one; and who looks up a hash learns nothing about
    the key from the time that it takes."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
