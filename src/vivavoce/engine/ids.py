"""Ids as the API has them: a prefix and a random rest, 26 characters at most (E-38 stops at 32)."""

import secrets

__all__ = ["random_id"]


def random_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(10)}"
