"""Where the files of known models come from, each at a fixed revision, with the sizes and hashes that they have there.

The hashes are those that several independent projects publish for the same revisions. A voice of Piper that is not
listed has none: it is fetched from the same tag, and held to what the first fetch brought.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from vivavoce.models.files import Files, ModelFile

__all__ = ["KOKORO", "PIPER", "WHISPER", "piper_voice"]

_HUB = "https://huggingface.co"


class _Pin(NamedTuple):
    size: int = 0
    sha256: str = ""


_UNKNOWN = _Pin()


# Whisper, as converted for CTranslate2 ----------------------------------------------------------------

_TOKENIZER = _Pin(2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab")
_VOCABULARY = _Pin(459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913")


def _whisper(model: str, repository: str, revision: str, pins: Mapping[str, _Pin], languages: str) -> Files:
    base = f"{_HUB}/Systran/{repository}/resolve/{revision}"
    files = (ModelFile(f"whisper/{model}/{name}", f"{base}/{name}", *pin) for name, pin in pins.items())
    return Files(model, tuple(files), "MIT", languages)


def _multilingual(model: str, revision: str, config: _Pin, weights: _Pin) -> Files:
    pins = {"config.json": config, "tokenizer.json": _TOKENIZER, "vocabulary.txt": _VOCABULARY, "model.bin": weights}
    return _whisper(model, f"faster-whisper-{model}", revision, pins, "99")


WHISPER = (
    _multilingual(
        "base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        _Pin(2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        _Pin(145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
    ),
    _multilingual(
        "small", "536b0662742c02347bc0e980a01041f333bce120",
        _Pin(2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
        _Pin(483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
    ),
    _multilingual(
        "tiny", "d90ca5fe260221311c53c58e660288d3deb8d356",
        _Pin(2_249, "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8"),
        _Pin(75_538_270, "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1"),
    ),
    _multilingual(
        "medium", "08e178d48790749d25932bbc082711ddcfdfbc4f",
        _Pin(2_257, "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807"),
        _Pin(1_527_906_378, "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae"),
    ),
    _whisper(
        "distil-large-v3", "faster-distil-whisper-large-v3", "c3058b475261292e64a0412df1d2681c06260fab",
        {
            "config.json": _Pin(2_690, "90c55f775cc4e0bb17293d0bf12f96557a486f20dea886fabd8e6075a3588b21"),
            "preprocessor_config.json": _Pin(340, "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711"),
            "tokenizer.json": _Pin(2_480_617, "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca"),
            "vocabulary.json": _Pin(1_068_114, "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1"),
            "model.bin": _Pin(1_512_927_867, "b79368e19b6623813609431a6e5ee309a71506701ebc49fd7820e692dec7c5f5"),
        },
        "English",
    ),
)  # fmt: skip
"""The first that is there is taken by a preset: beyond ``small`` they are slow without a graphics card."""


# Kokoro -----------------------------------------------------------------------------------------------

_KOKORO = "https://github.com/thewh1teagle/kokoro-onnx/releases/download/model-files-v1.0"

KOKORO = (
    Files(
        "",
        (
            ModelFile(
                "kokoro/kokoro-v1.0.onnx", f"{_KOKORO}/kokoro-v1.0.onnx",
                325_532_387, "7d5df8ecf7d4b1878015a32686053fd0eebe2bc377234608764cc0ef3636a6c5",
            ),
            ModelFile(
                "kokoro/voices-v1.0.bin", f"{_KOKORO}/voices-v1.0.bin",
                28_214_398, "bca610b8308e8d99f32e6fe4197e7ec01679264efed0cac9140fe9c29f1fbf7d",
            ),
        ),
        "Apache-2.0",
        "9",
    ),
)  # fmt: skip


# Piper ------------------------------------------------------------------------------------------------

_PIPER = f"{_HUB}/rhasspy/piper-voices/resolve/v1.0.0"
_VOICE = re.compile(
    r"(?P<language>[a-z]{2,3})_(?P<country>[A-Z]{2})-(?P<name>[a-z0-9_]+)-(?P<quality>x_low|low|medium|high)"
)


def piper_voice(model: str, sound: _Pin = _UNKNOWN, settings: _Pin = _UNKNOWN) -> Files | None:
    """The files of a voice such as ``de_DE-thorsten-medium``, by the rule of the place where they lie; None for what
    is no such name."""
    if not (part := _VOICE.fullmatch(model)):
        return None
    language, country, name, quality = part.groups()
    base = f"{_PIPER}/{language}/{language}_{country}/{name}/{quality}/{model}.onnx"
    files = (
        ModelFile(f"piper/{model}.onnx.json", f"{base}.json", *settings),
        ModelFile(f"piper/{model}.onnx", base, *sound),
    )
    return Files(model, files, "see its MODEL_CARD", f"{language}-{country}")


def _lessac() -> Files:
    voice = piper_voice(
        "en_US-lessac-medium",
        _Pin(63_201_294, "5efe09e69902187827af646e1a6e9d269dee769f9877d17b16b1b46eeaaf019f"),
        _Pin(4_885, "efe19c417bed055f2d69908248c6ba650fa135bc868b0e6abb3da181dab690a0"),
    )
    assert voice is not None
    return voice


PIPER = (_lessac(),)
