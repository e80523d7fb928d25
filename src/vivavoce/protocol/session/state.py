"""What the machines of one session share."""

from dataclasses import dataclass

from vivavoce.protocol.session.config import Config, Settings
from vivavoce.protocol.session.conversation import Conversation
from vivavoce.protocol.session.outbox import Outbox
from vivavoce.protocol.wire.config import AudioInput, AudioOutput, RealtimeConfig, SemanticVad, ServerVad, TurnDetection
from vivavoce.protocol.wire.shape import get

__all__ = ["Shared"]


@dataclass(slots=True)
class Shared:
    settings: Settings
    config: Config
    media: bool
    """The client is on a media track: it plays what the server sends, so the server knows what was heard."""
    out: Outbox
    conversation: Conversation
    now: float
    """When what is being handled happened."""
    forgiving: bool = False
    """A short sound over an answer is not taken for an interruption until it is known to be one, and the first moments
    of an answer are not taken for a voice: the client's loudspeaker may be what is heard."""
    turn: str | None = None
    """Id of the item that the spoken turn under way will be (O-14)."""
    voice_locked: bool = False
    """Assistant audio has been made (S-15)."""

    @property
    def hearing(self) -> AudioInput:
        assert self.config.audio, "a configuration in force has everything in it"
        assert self.config.audio.input
        return self.config.audio.input

    @property
    def transcribes(self) -> str | None:
        """The transcription model that the client asks for; None: it does not want to see the words."""
        asked = self.hearing.transcription
        return get(asked.model, "") if asked else None

    @property
    def language(self) -> str | None:
        """The language that the client expects to hear and to be heard in; the first of several."""
        asked = self.hearing.transcription or None
        return asked.spoken if asked else None

    @property
    def detection(self) -> TurnDetection | None:
        """None where turns are the client's to end (S-17)."""
        detection = self.hearing.turn_detection
        return detection if isinstance(detection, ServerVad | SemanticVad) else None

    @property
    def realtime(self) -> RealtimeConfig:
        """Only where responses are made; a transcription session has none."""
        assert isinstance(self.config, RealtimeConfig)
        return self.config

    @property
    def speaking(self) -> AudioOutput:
        assert self.realtime.audio
        assert self.realtime.audio.output
        return self.realtime.audio.output
