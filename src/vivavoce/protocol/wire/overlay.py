"""Lays one session patch over another while both are still plain JSON, unchecked."""

from collections.abc import Mapping
from typing import Any

__all__ = ["laid_over"]


def laid_over(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with what ``patch`` says: objects of one ``type`` (or of none) merge key by key, everything else is
    replaced, lists included (S-37, S-38)."""
    merged = dict(base)
    for key, new in patch.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("type") == new.get("type"):
            merged[key] = laid_over(old, new)
        else:
            merged[key] = new
    return merged
