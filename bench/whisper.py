"""What an utterance costs Whisper: processor time to encode its half minute of sound, and for a word.

    python -m bench.whisper tiny base small

The models have the sizes of the real ones and weights that are made up, since time does not depend on those. Printed is
this process's CPU time, so that other work on the machine does not count; up to four cores share it.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import common_spec, whisper_spec

from tests.support.tiny_whisper import EOT, NO_TIMESTAMPS, SIZE, SOT, TRANSCRIBE, parts, tokens

SIZES = {"tiny": (4, 6, 384), "base": (6, 8, 512), "small": (12, 12, 768)}
"""Layers, heads, width."""
PROMPT = [SOT, SOT + 1, TRANSCRIBE, NO_TIMESTAMPS]
TOKENS, TOGETHER = 20, (1, 2, 4)


def main(names: Sequence[str]) -> None:
    print("model   together   encoded   a token   (CPU s an utterance)")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), *SIZES[name])
            model = ctranslate2.models.Whisper(folder, compute_type="int8")
            measured(model, 1)  # the first time takes longer
            for together in TOGETHER:
                encoding, generating = measured(model, together)
                print(f"{name:8}{together:8}{encoding:10.2f}{generating / TOKENS:10.3f}", flush=True)


def measured(model: Any, together: int) -> tuple[float, float]:
    """Seconds an utterance: to encode, and for :data:`TOKENS` tokens."""
    features = np.random.default_rng(1).standard_normal((together, 80, 3000)).astype(np.float32)
    began = time.process_time()
    encoded = model.encode(ctranslate2.StorageView.from_array(features))
    middle = time.process_time()
    model.generate(encoded, [PROMPT] * together, beam_size=1, max_length=2 * TOKENS, suppress_tokens=[EOT])
    return (middle - began) / together, (time.process_time() - middle) / together


def write(folder: Path, layers: int, heads: int, width: int) -> None:
    random = np.random.default_rng(1)

    def weights(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.02).astype(np.float32)

    spec = whisper_spec.WhisperSpec(layers, heads, layers, heads)
    for side, positions in ((spec.encoder, 1500), (spec.decoder, 448)):
        fill(side, width, weights)
        side.position_encodings.encodings = weights(positions, width)
    for conv, channels in ((spec.encoder.conv1, 80), (spec.encoder.conv2, width)):
        conv.weight, conv.bias = weights(width, channels, 3), weights(width)
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = weights(SIZE, width)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.register_vocabulary(tokens())
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def fill(side: Any, width: int, weights: Any) -> None:
    for part in parts(side):
        if isinstance(part, common_spec.LayerNormSpec):
            part.gamma, part.beta = np.ones(width, np.float32), np.zeros(width, np.float32)
    for each in side.layer:
        for attention in (each.self_attention, getattr(each, "attention", None)):
            if attention is not None:
                times = (3, 1) if len(attention.linear) == 2 else (1, 2, 1)
                for linear, wide in zip(attention.linear, times, strict=True):
                    linear.weight, linear.bias = weights(wide * width, width), weights(wide * width)
        each.ffn.linear_0.weight, each.ffn.linear_0.bias = weights(4 * width, width), weights(4 * width)
        each.ffn.linear_1.weight, each.ffn.linear_1.bias = weights(width, 4 * width), weights(width)


if __name__ == "__main__":
    main(sys.argv[1:] or list(SIZES))
