"""A Whisper of 8 MB in CTranslate2's own format, for tests of what stands around a real one: it hears nothing, and says
a sentence by heart, one token for each position of its decoder."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["WORDS", "tiny_whisper"]

WORDS = ("what", "time", "is", "it")
WIDTH = 32
POSITIONS = 448
FIRST_TEXT = 1000
"""Id of the first word; those before it stand for bytes and pieces of words."""
EOT, SOT = 50_257, 50_258
LANGUAGES = ("en", "zh", "de", "es")
TRANSLATE, TRANSCRIBE, SOT_LM, SOT_PREV, NO_SPEECH, NO_TIMESTAMPS = range(50_358, 50_364)
SIZE = 51_865


def tiny_whisper(directory: Path, words: Sequence[str] = WORDS, prompt: int = 4) -> Path:
    """Write it. It says ``words`` when its decoder is given ``prompt`` tokens first."""
    from ctranslate2.specs import whisper_spec  # type: ignore[import-untyped]

    directory.mkdir(parents=True, exist_ok=True)
    tokens = _tokens(words)
    spec = whisper_spec.WhisperSpec(1, 1, 1, 1)
    _fill(spec.encoder, WIDTH)
    spec.encoder.conv1.weight = np.zeros((WIDTH, 80, 3), np.float32)
    spec.encoder.conv2.weight = np.zeros((WIDTH, WIDTH, 3), np.float32)
    spec.encoder.position_encodings.encodings = np.zeros((1500, WIDTH), np.float32)
    _fill(spec.decoder, WIDTH)
    spec.decoder.embeddings.weight = np.zeros((SIZE, WIDTH), np.float32)
    spec.decoder.position_encodings.encodings = _one_hot(POSITIONS)
    spec.decoder.projection.weight = _by_heart([FIRST_TEXT + i for i in range(len(words))], prompt)
    spec.config.lang_ids = [SOT + 1 + i for i in range(len(LANGUAGES))]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.alignment_heads = [(0, 0)]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.save(str(directory))
    (directory / "tokenizer.json").write_text(json.dumps(_tokenizer(tokens)))
    return directory


def _by_heart(words: Sequence[int], prompt: int) -> np.ndarray[Any, Any]:
    """Rows of the last layer: at position ``prompt - 1 + n`` the n-th word is likeliest, and then the end."""
    weight = np.zeros((SIZE, WIDTH), np.float32)
    for n, token in enumerate([*words, EOT]):
        weight[token, (prompt - 1 + n) % WIDTH] = 8.0
    return weight


def _one_hot(positions: int) -> np.ndarray[Any, Any]:
    return np.eye(WIDTH, dtype=np.float32)[np.arange(positions) % WIDTH]


def _fill(layer: Any, width: int) -> None:
    """Nothing in the way: weights of nought, so that each layer passes on what it was given."""
    from ctranslate2.specs import common_spec

    for part in _parts(layer):
        match part:
            case common_spec.LayerNormSpec():
                part.gamma, part.beta = np.ones(width, np.float32), np.zeros(width, np.float32)
            case common_spec.LinearSpec():
                part.weight = np.zeros((width, width), np.float32)
    for each in layer.layer:
        for attention in (each.self_attention, getattr(each, "attention", None)):
            if attention is not None:
                sizes = (3, 1) if len(attention.linear) == 2 else (1, 2, 1)
                for linear, times in zip(attention.linear, sizes, strict=True):
                    linear.weight = np.zeros((times * width, width), np.float32)
                    linear.bias = np.zeros(times * width, np.float32)


def _parts(layer: Any) -> Iterator[Any]:
    from ctranslate2.specs import model_spec

    for part in vars(layer).values():
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, model_spec.LayerSpec):
                yield each
                yield from _parts(each)


def _tokens(words: Sequence[str]) -> list[str]:
    tokens = [f"<unused{i}>" for i in range(SIZE)]
    tokens[FIRST_TEXT : FIRST_TEXT + len(words)] = [f"Ġ{word}" for word in words]
    tokens[EOT], tokens[SOT] = "<|endoftext|>", "<|startoftranscript|>"
    for i, language in enumerate(LANGUAGES):
        tokens[SOT + 1 + i] = f"<|{language}|>"
    special = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    tokens[TRANSLATE : NO_TIMESTAMPS + 1] = [f"<|{name}|>" for name in special]
    for i in range(NO_TIMESTAMPS + 1, SIZE):
        tokens[i] = f"<|{(i - NO_TIMESTAMPS - 1) * 0.02:.2f}|>"
    return tokens


def _tokenizer(tokens: Sequence[str]) -> dict[str, Any]:
    """One word is one token; the alphabet of bytes is GPT-2's, in which ``Ġ`` is a space."""
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": True}
            for i, token in enumerate(tokens)
            if i >= EOT
        ],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "WordLevel", "vocab": {token: i for i, token in enumerate(tokens)}, "unk_token": "<unused0>"},
    }  # fmt: skip
