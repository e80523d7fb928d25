"""The one ordered list of what a session has to say: events for the client, commands for the driver."""

from collections.abc import Callable, Mapping
from typing import Any

from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.protocol.session.commands import Command
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["Ids", "Outbox", "Output"]

Ids = Callable[[str], str]
"""Makes a fresh id with the given prefix: ``ids("item")`` is ``item_…``."""

Output = Frame | Command


class Outbox:
    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._pending: list[Output] = []

    def event(self, type: str, /, **fields: Any) -> None:
        """Queue a server event; its ``event_id`` is made here."""
        self._pending.append(Frame(type, {"type": type, "event_id": self.ids("event"), **fields}))

    def sound(self, where: Mapping[str, Any], audio: bytes) -> None:
        """:meth:`event` for the one that comes fifty times a second; ``where`` is all it says beside its id."""
        told = {"type": AUDIO_DELTA, "event_id": self.ids("event"), **where}
        self._pending.append(Frame(AUDIO_DELTA, told, audio))

    def error(self, error: ProtocolError, event_id: str | None = None, origin: str = "") -> None:
        """``event_id`` is that of the client event at fault, if it had one (O-49); ``origin`` is who sent that."""
        told = {"type": "error", "event_id": self.ids("event"), "error": {**error.body(), "event_id": event_id}}
        self._pending.append(Frame("error", told, origin=origin))

    def command(self, command: Command) -> None:
        self._pending.append(command)

    @property
    def speaks(self) -> bool:
        return bool(self._pending)

    def drain(self) -> list[Output]:
        pending, self._pending = self._pending, []
        return pending
