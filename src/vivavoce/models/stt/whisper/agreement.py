"""Which words of a recogniser that is asked again and again will stay: those that two answers in a row agree on.

The rule is LocalAgreement-2 (Liu et al., 2020; Macháček et al., "Turning Whisper into Real-Time Transcription System",
2023). Who asks tells the recogniser the steady words, so that its answers go on from there and cannot contradict them.
"""

from collections.abc import Sequence
from itertools import takewhile

__all__ = ["Agreement"]


class Agreement:
    def __init__(self) -> None:
        self.steady = ""
        """It only grows, until :meth:`forget`."""
        self._doubtful: Sequence[str] = ()

    def hear(self, words: Sequence[str]) -> None:
        """The newest answer: the words behind :attr:`steady`, each with the space before it."""
        pairs = zip(self._doubtful, words, strict=False)
        agreed = [word for _, word in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        self.steady += "".join(agreed)
        self._doubtful = words[len(agreed) :]

    def forget(self, text: str) -> None:
        """The sound of these first words of :attr:`steady` is gone."""
        assert self.steady.startswith(text)
        self.steady = self.steady[len(text) :]
