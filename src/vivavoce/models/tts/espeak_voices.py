"""The voices that eSpeak NG lends to OpenAI's voice names.

Variants were chosen by two measurements: how well a recogniser understands them, and how far apart
their pitches lie. ``volume`` brings all to about the same loudness (-20 dBFS).
"""

from dataclasses import dataclass
from zlib import crc32

__all__ = ["VOICES", "EspeakVoice", "voice_named"]


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    accent: str
    """Which English."""
    variant: str
    """The timbre, in any language."""
    pitch: int
    """eSpeak's scale, 0 to 99."""
    volume: int
    """Per cent."""

    def names(self, language: str | None) -> list[str]:
        """Its names in eSpeak's terms, the best first, for a language tag such as ``de`` or ``pt-BR``. The last is
        English, which there always is."""
        tag = (language or "en").lower()
        primary = tag.partition("-")[0]
        tried = [] if primary == "en" else [tag, primary, *_CALLED.get(primary, ())]
        return [f"{each}+{self.variant}" for each in dict.fromkeys([*tried, self.accent])]


_CALLED = {"zh": ("cmn",), "no": ("nb",)}
"""Languages that eSpeak has under another code alone."""

VOICES = {
    "alloy": EspeakVoice("en-us", "f5", 46, 106),
    "ash": EspeakVoice("en-us", "m6", 45, 104),
    "ballad": EspeakVoice("en-gb-x-rp", "Reed", 50, 71),
    "coral": EspeakVoice("en-us", "f2", 58, 80),
    "echo": EspeakVoice("en-us", "edward", 50, 83),
    "sage": EspeakVoice("en-gb-x-rp", "f4", 50, 83),
    "shimmer": EspeakVoice("en-us", "f5", 62, 97),
    "verse": EspeakVoice("en-us", "benjamin", 58, 108),
    "marin": EspeakVoice("en-us", "f2", 45, 85),
    "cedar": EspeakVoice("en-us", "Henrique", 42, 152),
    "onyx": EspeakVoice("en-us", "m6", 28, 113),
    "nova": EspeakVoice("en-us", "f3", 50, 93),
    "fable": EspeakVoice("en-gb-x-rp", "f2", 50, 79),
}


def voice_named(name: str) -> EspeakVoice:
    """Any name has a voice, the same one on every machine and every day."""
    known = VOICES.get(name.lower())
    return known or list(VOICES.values())[crc32(name.lower().encode()) % len(VOICES)]
