"""Ids as the API has them: a prefix and a rest that is no other's, 26 characters at most (E-38 stops at 32)."""

import secrets
from collections.abc import Callable
from itertools import count

__all__ = ["new_ids", "random_id"]


def random_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(10)}"


def new_ids() -> Callable[[str], str]:
    """For one session, whose every event has one: chance once, then counting, at a quarter of the price."""
    chance, numbers = secrets.token_hex(7), count(1)
    return lambda prefix: f"{prefix}_{chance}{next(numbers):06x}"
