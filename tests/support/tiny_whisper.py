"""A Whisper of 27 MB in CTranslate2's own format that hears tones: what stands around a model is tested with a real
one.

Each second of its sound is a word, told by its pitch (:func:`spoken`); a second without a tone ends what it says. All
of it is in the weights: the encoder marks each frame with its second and with the pitch that it holds, the decoder's
``n``-th position looks at second ``n`` and says the word of its pitch.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper.tokenizer import _LANGUAGE_CODES

__all__ = [
    "EOT", "FIRST_TEXT", "LANGUAGES", "NO_TIMESTAMPS", "SIZE", "SOT", "SOT_PREV", "TRANSCRIBE", "WORDS", "parts",
    "spoken", "tiny_whisper", "tokens",
]  # fmt: skip

WORDS = ("what", "time", "is", "it", "in", "Paris", ".", "no")
RATE = 16_000
WIDTH = 64
SECONDS = 32
"""The first channels: which second it is. Those behind them: which pitch."""
BINS = tuple(range(8, 72, 8))
"""Of the 80 of a spectrogram, the one of each word's pitch."""
POSITIONS = 448
FIRST_TEXT = 1000
"""Id of the first word; those before it stand for bytes and pieces of words."""
EOT, SOT = 50_257, 50_258
LANGUAGES = {code: SOT + 1 + n for n, code in enumerate(_LANGUAGE_CODES[:99])}
TRANSLATE, TRANSCRIBE, SOT_LM, SOT_PREV, NO_SPEECH, NO_TIMESTAMPS = range(50_358, 50_364)
SIZE = 51_865
Matrix = np.ndarray[Any, Any]


def spoken(words: str) -> bytes:
    """16 kHz PCM: a second of each word, with a gap of 40 ms behind it; ``_`` is a silent one."""
    return b"".join(_tone(word) for word in words.split())


def _tone(word: str) -> bytes:
    samples = np.zeros(RATE)
    if word != "_":
        sounding = np.arange(RATE - RATE // 25)
        samples[: len(sounding)] = 10_000 * np.sin(2 * np.pi * _hertz(BINS[WORDS.index(word)]) * sounding / RATE)
    return samples.astype("<i2").tobytes()


def _hertz(mel_bin: int) -> float:
    """The middle of a bin of 80 from 0 to 8 kHz, by Slaney's scale: even below 1 kHz, logarithmic above."""
    step = np.log(6.4) / 27
    mel = (15 + np.log(8) / step) * (mel_bin + 1) / 81
    return float(200 / 3 * mel if mel < 15 else 1000 * np.exp(step * (mel - 15)))


def tiny_whisper(directory: Path, *, prompt: int = 4, sure: float = 8.0, no_speech: float = 0.0) -> Path:
    """Write it. It is made for a prompt of ``prompt`` tokens. ``sure``: how likely its words are (8: certain, 1.2: less
    than one in ten); ``no_speech``: how much it thinks that nobody speaks, as a logit."""
    from ctranslate2.specs import whisper_spec

    directory.mkdir(parents=True, exist_ok=True)
    spec = whisper_spec.WhisperSpec(1, 1, 1, 1)
    _fill(spec.encoder, WIDTH)
    spec.encoder.conv1.weight, spec.encoder.conv1.bias = _pitches()
    spec.encoder.conv2.weight = np.zeros((WIDTH, WIDTH, 3), np.float32)
    spec.encoder.conv2.weight[:, :, 1] = np.eye(WIDTH)
    spec.encoder.position_encodings.encodings = 10 * _seconds(1500, lambda frame: frame // 50)
    _fill(spec.decoder, WIDTH)
    spec.decoder.embeddings.weight = np.zeros((SIZE, WIDTH), np.float32)
    spec.decoder.position_encodings.encodings = _seconds(POSITIONS, lambda position: position - (prompt - 1))
    _look(spec.decoder.layer[0].attention)
    spec.decoder.projection.weight = _says(prompt, sure, no_speech)
    spec.config.lang_ids = list(LANGUAGES.values())
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [EOT]  # whoever is given sound says something: the true ones are made so, too
    spec.config.alignment_heads = [(0, 0)]
    vocabulary = tokens()
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(directory))
    (directory / "tokenizer.json").write_text(json.dumps(_tokenizer(vocabulary)))
    return directory


def _pitches() -> tuple[Matrix, Matrix]:
    """The first layer of the encoder: a channel for each pitch, which is nought without it."""
    weight, bias = np.zeros((WIDTH, 80, 3), np.float32), np.zeros(WIDTH, np.float32)
    for n, mel_bin in enumerate(BINS):
        weight[SECONDS + n, mel_bin, 1], bias[SECONDS + n] = 4.0, -2.0
    return weight, bias


def _seconds(length: int, second: Any) -> Matrix:
    """Rows with a one at their second, counted round."""
    return np.eye(WIDTH, dtype=np.float32)[[second(n) % SECONDS for n in range(length)]]


def _look(attention: Any) -> None:
    """A decoder's position asks for its second, and takes the pitch from there."""
    seconds, pitches = np.zeros((WIDTH, WIDTH), np.float32), np.zeros((WIDTH, WIDTH), np.float32)
    seconds[:SECONDS, :SECONDS] = 2 * np.eye(SECONDS)
    pitches[SECONDS:, SECONDS:] = np.eye(WIDTH - SECONDS)
    query, key_value, output = attention.linear
    query.weight, key_value.weight, output.weight = seconds, np.concatenate([seconds, pitches]), pitches.copy()


def _says(prompt: int, sure: float, no_speech: float) -> Matrix:
    """Rows of the last layer: a word for its pitch, the end where there is none."""
    weight = np.zeros((SIZE, WIDTH), np.float32)
    for n in range(len(WORDS)):
        weight[FIRST_TEXT + n, SECONDS + n] = sure
    weight[EOT, :SECONDS] = sure * 1.6
    before = (1 - prompt) % SECONDS
    weight[LANGUAGES["en"], before], weight[NO_SPEECH, before] = (
        2.0,
        no_speech,
    )  # English, where nobody says what is spoken
    return weight


def _fill(layer: Any, width: int) -> None:
    """Nothing in the way: weights of nought, so that each layer passes on what it was given."""
    from ctranslate2.specs import common_spec

    for part in parts(layer):
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


def parts(layer: Any) -> Iterator[Any]:
    """All layers within a layer."""
    from ctranslate2.specs import model_spec

    for part in vars(layer).values():
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, model_spec.LayerSpec):
                yield each
                yield from parts(each)


def tokens() -> list[str]:
    """Whisper's vocabulary, as far as it matters here."""
    vocabulary = [f"<unused{i}>" for i in range(SIZE)]
    vocabulary[FIRST_TEXT : FIRST_TEXT + len(WORDS)] = [f"Ġ{word}".replace("Ġ.", ".") for word in WORDS]
    vocabulary[EOT - 1] = ""  # by which CTranslate2 knows a model of many languages
    vocabulary[EOT], vocabulary[SOT] = "<|endoftext|>", "<|startoftranscript|>"
    for language, token in LANGUAGES.items():
        vocabulary[token] = f"<|{language}|>"
    special = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    vocabulary[TRANSLATE : NO_TIMESTAMPS + 1] = [f"<|{name}|>" for name in special]
    for i in range(NO_TIMESTAMPS + 1, SIZE):
        vocabulary[i] = f"<|{(i - NO_TIMESTAMPS - 1) * 0.02:.2f}|>"
    return vocabulary


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
