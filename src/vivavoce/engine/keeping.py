"""The sound of a session's items: put into words, kept, and read back for ``conversation.item.retrieve``."""

from collections.abc import Callable

import pybase64

from vivavoce.engine.archive import Archive
from vivavoce.engine.formats import Decoder, Encoder
from vivavoce.engine.recognition import Recognition, hints
from vivavoce.protocol.frame import Frame
from vivavoce.protocol.session import Session
from vivavoce.protocol.session.commands import Forget, Import, Retrieve, Transcribe
from vivavoce.protocol.session.transcription import HeardFailed
from vivavoce.protocol.wire.config import Format
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Keeping"]


class Keeping:
    """``tell`` takes the events that carry sound."""

    def __init__(
        self, core: Session, archive: Archive, recognition: Recognition, tell: Callable[[Frame], None]
    ) -> None:
        self._core, self._archive, self._recognition, self._tell = core, archive, recognition, tell

    def transcribe(self, command: Transcribe, pcm: bytes, format: Format) -> None:
        """A user's turn, 24 kHz; kept in the ``format`` in which the client knows it."""
        self._archive.add(command.item_id, Encoder(format).push(pcm), format)
        self._recognition.start(command.item_id, pcm, hints(command.hints), command.span.start)

    def take_in(self, command: Import) -> None:
        """A recording that a client put into an item."""
        try:
            data = pybase64.b64decode(command.audio, validate=True)
            pcm = Decoder(command.format).push(data)
        except (ValueError, ProtocolError):
            where = f"item.content[{command.content_index}].audio"
            self._core.refuse(ProtocolError("invalid_value", f"'{where}' is not audio in base64.", param=where))
            self._core.transcript(command.item_id, HeardFailed("The audio could not be read."))
            return
        self._archive.add(command.item_id, data, command.format)
        self._recognition.start(command.item_id, pcm, hints(command.hints))

    def forget(self, command: Forget) -> None:
        self._archive.forget(command.item_id)
        self._recognition.forget(command.item_id)

    def retrieve(self, command: Retrieve) -> None:
        def read(audio: bytes | None) -> None:
            if audio is not None:
                for index in command.audio_parts:
                    command.event["item"]["content"][index]["audio"] = pybase64.b64encode_as_string(audio)
            self._tell(Frame(command.event["type"], command.event))

        self._archive.fetch(command.item_id, read)
