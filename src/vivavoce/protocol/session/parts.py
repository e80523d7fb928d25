"""What a model's answer is made of, as the driver gives it to a session: :data:`Part` by :data:`Part`."""

from dataclasses import dataclass, field

__all__ = ["Arguments", "AudioPart", "CallPart", "Done", "Failed", "Part", "TextPart", "Usage"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """The next words of a message: text, or the transcript of the audio that follows."""

    text: str


@dataclass(frozen=True, slots=True)
class AudioPart:
    """The next sound of the latest words, in the response's output format; ``samples`` at 24 kHz."""

    data: bytes
    samples: int


@dataclass(frozen=True, slots=True)
class CallPart:
    """A function call begins."""

    name: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Arguments:
    """More of the latest call's arguments."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model counted them; what is None is estimated (U-05)."""

    input_text: int | None = None
    output_text: int | None = None
    cached: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """Of two steps of one response."""
        return Usage(
            _sum(self.input_text, other.input_text),
            _sum(self.output_text, other.output_text),
            self.cached + other.cached,
        )


def _sum(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else a + b


@dataclass(frozen=True, slots=True)
class Done:
    """``reason``: ``stop``, or why it ended early: ``max_output_tokens``, ``content_filter``."""

    reason: str = "stop"
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Failed:
    code: str
    message: str
    type: str = "server_error"


Part = TextPart | AudioPart | CallPart | Arguments | Done | Failed
