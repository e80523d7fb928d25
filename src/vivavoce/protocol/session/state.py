"""What the machines of one session share."""

from dataclasses import dataclass

from vivavoce.protocol.session.config import Config, Settings
from vivavoce.protocol.session.conversation import Conversation
from vivavoce.protocol.session.outbox import Outbox
from vivavoce.protocol.wire.config import AudioInput, AudioOutput, RealtimeConfig

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
    voice_locked: bool = False
    """Assistant audio has been made (S-15)."""

    @property
    def hearing(self) -> AudioInput:
        assert self.config.audio, "a configuration in force has everything in it"
        assert self.config.audio.input
        return self.config.audio.input

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
