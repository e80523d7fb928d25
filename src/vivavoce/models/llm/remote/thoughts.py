"""What some small models put before their answer, for themselves: ``<think> … </think>``. Nobody wants to hear it."""

__all__ = ["Aloud"]

_OPEN, _CLOSE = "<think>", "</think>"


class Aloud:
    """The words of one answer without the thoughts at its beginning."""

    def __init__(self) -> None:
        self._held: str | None = ""
        """What may still be thoughts; None once they are over."""

    def push(self, text: str) -> str:
        if self._held is None:
            return text
        held = self._held = (self._held + text).lstrip()
        if held.startswith(_OPEN):
            _, closed, rest = held.partition(_CLOSE)
            rest = rest.lstrip()
            if closed:
                self._held = None if rest else ""
            elif len(held) > len(_OPEN + _CLOSE):  # no more of them is kept than may hold the beginning of their end
                self._held = _OPEN + held[-len(_CLOSE) :]
            return rest
        if _OPEN.startswith(held):
            return ""
        self._held = None
        return held

    def finish(self) -> str:
        """What was held and turned out to be no thought."""
        held, self._held = self._held or "", None
        return "" if held.startswith(_OPEN) else held
