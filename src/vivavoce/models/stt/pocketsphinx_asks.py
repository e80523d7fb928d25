"""What a worker of PocketSphinx may be asked: the first byte of a request. Sound follows, as 16 kHz mono int16 PCM."""

from enum import Enum

__all__ = ["Ask"]


class Ask(bytes, Enum):
    WHOLE = b"w"
    """The words of a whole utterance."""
    BEGIN = b"b"
    """One is heard while it is spoken: its first sound. The reply to this and the next is what words are settled."""
    FEED = b"f"
    WORDS = b"?"
    """Its words so far."""
