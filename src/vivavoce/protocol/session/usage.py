"""Token counts of a response, in the API's shape (U-01 to U-06), estimated where a model gives none.

Audio is counted by the API's own rates: a user's by 1 token in 100 ms, an assistant's by 1 in 50 ms
(U-05). Text is taken at four characters a token.
"""

from collections.abc import Iterable
from typing import Any

from vivavoce.protocol.session.commands import RATE, Context
from vivavoce.protocol.session.items import Item
from vivavoce.protocol.session.parts import Usage

__all__ = ["ZERO", "audio_tokens_in", "count", "text_tokens", "tokens"]

USER_SAMPLES_PER_TOKEN = RATE // 10
ASSISTANT_SAMPLES_PER_TOKEN = RATE // 20
CHARACTERS_PER_TOKEN = 4
IMAGE_TOKENS = 765
"""One image at high detail."""


def count(context: Context, output: Iterable[Item], model: Usage | None = None) -> dict[str, Any]:
    """The ``usage`` of a response made from ``context``."""
    model = model or Usage()
    given = [_sizes(item) for item in context.items]
    made = [_sizes(item) for item in output]
    prompt = text_tokens(context.instructions)
    text_in = prompt + sum(size[0] for size in given) if model.input_text is None else model.input_text
    text_out = sum(size[0] for size in made) if model.output_text is None else model.output_text
    audio_in, images = sum(size[1] for size in given), sum(size[2] for size in given)
    audio_out = sum(size[1] for size in made)
    return _usage(text_in, audio_in, images, min(model.cached, text_in), text_out, audio_out)


def tokens(item: Item) -> int:
    """Everything that an item counts for."""
    return sum(_sizes(item))


def text_tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def audio_tokens_in(samples: int) -> int:
    return -(-samples // USER_SAMPLES_PER_TOKEN)


def _sizes(item: Item) -> tuple[int, int, int]:
    """Tokens of (text, audio, images)."""
    text = audio = images = 0
    for part in item.content:
        if part.type == "input_image":
            images += IMAGE_TOKENS
        elif part.type == "input_audio":
            audio += audio_tokens_in(part.samples)
        elif part.type == "output_audio":
            audio += -(-part.samples // ASSISTANT_SAMPLES_PER_TOKEN)
            text += text_tokens(part.words or "")
        else:
            text += text_tokens(part.words or "")
    for value in item.fields.values():
        text += text_tokens(value) if isinstance(value, str) else 0
    return text, audio, images


def _usage(text_in: int, audio_in: int, images: int, cached: int, text_out: int, audio_out: int) -> dict[str, Any]:
    total_in, total_out = text_in + audio_in + images, text_out + audio_out
    return {
        "total_tokens": total_in + total_out,
        "input_tokens": total_in,
        "output_tokens": total_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": images,
            "cached_tokens": cached,
            "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


ZERO = _usage(0, 0, 0, 0, 0, 0)
"""What a failed response reports (U-03)."""
