"""Kokoro's 54 voices (v1.0), the one that each of OpenAI's voice names is lent, and its languages.

A name's first letter is the language that the voice was made from, its second the sex. OpenAI's names were given
voices of the same sex, an English one each, by their names where Kokoro has those too.
"""

from zlib import crc32

__all__ = ["LANGUAGES", "OPENAI", "VOICES", "language_of", "voice_named"]

_NAMES = {
    "af": "alloy aoede bella heart jessica kore nicole nova river sarah sky",
    "am": "adam echo eric fenrir liam michael onyx puck santa",
    "bf": "alice emma isabella lily",
    "bm": "daniel fable george lewis",
    "ef": "dora",
    "em": "alex santa",
    "ff": "siwis",
    "hf": "alpha beta",
    "hm": "omega psi",
    "if": "sara",
    "im": "nicola",
    "jf": "alpha gongitsune nezumi tebukuro",
    "jm": "kumo",
    "pf": "dora",
    "pm": "alex santa",
    "zf": "xiaobei xiaoni xiaoxiao xiaoyi",
    "zm": "yunjian yunxi yunxia yunyang",
}
VOICES = tuple(f"{kind}_{name}" for kind, names in _NAMES.items() for name in names.split())

OPENAI = {
    "alloy": "af_alloy",
    "ash": "am_michael",
    "ballad": "bm_george",
    "coral": "af_bella",
    "echo": "am_echo",
    "sage": "bf_emma",
    "shimmer": "af_sky",
    "verse": "am_puck",
    "marin": "af_heart",
    "cedar": "am_fenrir",
    "onyx": "am_onyx",
    "nova": "af_nova",
    "fable": "bm_fable",
}

LANGUAGES = {
    "en": "en-us",
    "es": "es",
    "fr": "fr-fr",
    "hi": "hi",
    "it": "it",
    "ja": "ja",
    "pt": "pt-br",
    "zh": "cmn",
}
"""By ISO-639-1, in the terms of eSpeak NG, which turns the text into Kokoro's phonemes."""
_MADE_FROM = {
    "a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "j": "ja", "p": "pt-br", "z": "cmn",
}  # fmt: skip


def voice_named(name: str) -> str:
    """Any name has a voice, the same one on every machine and every day."""
    name = name.lower()
    if name in VOICES:
        return name
    return OPENAI.get(name) or list(OPENAI.values())[crc32(name.encode()) % len(OPENAI)]


def language_of(voice: str, language: str | None) -> str:
    """What ``voice`` is to speak, for a tag such as ``pt-BR``: its own kind of English for English, and its own
    language where none is named or Kokoro has not the one that is."""
    own = _MADE_FROM[voice[0]]
    wanted = LANGUAGES.get((language or "").lower().partition("-")[0], own)
    if (language or "").lower() == "en-gb":
        return "en-gb"
    return own if wanted == "en-us" and own == "en-gb" else wanted
