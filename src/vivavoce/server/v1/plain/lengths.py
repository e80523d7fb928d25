"""What sound costs where nobody told more of it than how long it was: by the minute, or by the API's own rates of
tokens where a model is priced by those (U-05)."""

from typing import Any, Final

from vivavoce.access.prices import Price
from vivavoce.protocol.session.usage import text_tokens

__all__ = ["heard", "spoken", "tokens_of"]

HEARD, SPOKEN = 10, 20
"""Audio tokens a second, of a user and of a voice."""
_NOTHING: Final = Price()


def heard(price: Price | None, seconds: float) -> dict[str, Any]:
    """The ``usage`` of a recognition."""
    price = price or _NOTHING
    if price.minute or not price.audio_in:
        return _duration(seconds)
    tokens = round(seconds * HEARD)
    return {"type": "tokens", "input_tokens": tokens, "input_token_details": {"audio_tokens": tokens}}


def spoken(price: Price | None, text: str, seconds: float) -> dict[str, Any]:
    """The ``usage`` of a text that was made to sound."""
    price = price or _NOTHING
    if price.minute or not price.audio_out:
        return _duration(seconds)
    return tokens_of(text_tokens(text), round(seconds * SPOKEN))


def tokens_of(text_in: int, audio_out: int) -> dict[str, Any]:
    """In the protocol's shape."""
    return {
        "type": "tokens",
        "input_tokens": text_in,
        "output_tokens": audio_out,
        "input_token_details": {"text_tokens": text_in},
        "output_token_details": {"audio_tokens": audio_out},
    }


def _duration(seconds: float) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(seconds, 3)}
