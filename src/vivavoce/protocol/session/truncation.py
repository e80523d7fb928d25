"""Which items of a long conversation still go to the mind (S-29): the oldest are left out first, never the
instructions or the tools. The conversation itself keeps them all."""

from collections.abc import Sequence

from vivavoce.protocol.session.items import Item
from vivavoce.protocol.session.usage import tokens
from vivavoce.protocol.wire.config import RetentionRatio
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import UnsetType, get

__all__ = ["INPUT_TOKENS", "Truncation"]

INPUT_TOKENS = 28_224
"""What a model of 32k leaves for input beside its own 4,096."""

Rule = str | RetentionRatio | UnsetType


class Truncation:
    def __init__(self) -> None:
        self._from: str | None = None
        """The oldest item still sent. It stays until there is too much again, so that a model's cache holds."""

    def fit(self, items: Sequence[Item], instructions: int, rule: Rule) -> tuple[Item, ...]:
        """The newest of ``items`` that fit beside so many tokens of instructions. Raises :class:`ProtocolError`
        where nothing may be left out (``disabled``) and they do not."""
        kept = list(items[self._start(items) :])
        limit, ratio = INPUT_TOKENS - instructions, 1.0
        if isinstance(rule, RetentionRatio):
            limits = get(rule.token_limits, None)
            limit, ratio = min(limit, get(limits.post_instructions, limit) if limits else limit), rule.retention_ratio
        size = sum(map(tokens, kept))
        if size <= limit:
            return tuple(kept)
        if rule == "disabled":
            message = f"The conversation has {size} tokens, {limit} fit, and truncation is disabled; delete some items."
            raise ProtocolError("context_length_exceeded", message)
        while len(kept) > 1 and size > limit * ratio:
            size -= tokens(kept.pop(0))
        while len(kept) > 1 and kept[0].type == "function_call_output":
            kept.pop(0)  # its call is gone
        self._from = kept[0].id if kept else None
        return tuple(kept)

    def _start(self, items: Sequence[Item]) -> int:
        return next((index for index, item in enumerate(items) if item.id == self._from), 0)
