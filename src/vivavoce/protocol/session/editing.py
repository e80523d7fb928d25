"""What a client does to the conversation itself: put items in, read, cut and delete them."""

from vivavoce.protocol.session.commands import RATE, Forget, Import, Retrieve, Trim, to_samples
from vivavoce.protocol.session.items import Item, from_wire
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.wire.config import Pcm
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import CreateItem, DeleteItem, InputAudio, Message, RetrieveItem, TruncateItem
from vivavoce.protocol.wire.shape import get

__all__ = ["Editing"]

TRUNCATE_SLACK_MS = 100
"""Clients round up and lag: a cut this far beyond the end is a cut at the end (O-41)."""
MAX_ITEMS = 10_000
"""Items in one conversation."""


class Editing:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._conversation, self._out = shared.conversation, shared.out

    def create(self, event: CreateItem) -> None:
        """``conversation.item.create`` (O-05)."""
        new, conversation = event.item, self._conversation
        item_id = get(new.id, None) or self._out.ids("item")
        if item_id in conversation or item_id == self._shared.turn:
            message = f"There is an item '{item_id}' in the conversation already; choose another id, or none."
            raise ProtocolError("invalid_value", message, param="item.id")
        if len(conversation) >= MAX_ITEMS:
            raise ProtocolError("invalid_value", f"A conversation holds {MAX_ITEMS} items at most; delete some first.")
        item = from_wire(new, item_id, self._out.ids("call"))
        if item.type == "function_call_output" and not conversation.has_call(item.fields["call_id"]):
            message = f"There is no function call '{item.fields['call_id']}' in the conversation for this output."
            raise ProtocolError("invalid_value", message, param="item.call_id")
        conversation.add(item, conversation.place(get(event.previous_item_id, None)))
        conversation.done(item)
        if isinstance(new, Message):
            self._import_audio(item, new)

    def retrieve(self, event: RetrieveItem) -> None:
        """``conversation.item.retrieve``: the one place where an item carries its audio (E-42)."""
        item = self._conversation.get(event.item_id, "retrieve")
        audio = tuple(i for i, part in enumerate(item.content) if part.type.endswith("_audio"))
        kind = "conversation.item.retrieved"
        fields = {"type": kind, "event_id": self._out.ids("event"), "item": item.view()}
        self._out.command(Retrieve(fields, item.id, audio))

    def delete(self, event: DeleteItem) -> None:
        self._conversation.delete(event.item_id)
        self._out.command(Forget(event.item_id))

    def truncate(self, event: TruncateItem) -> None:
        """``conversation.item.truncate``: the item keeps what was heard, in sound and in words (O-35)."""
        item = self._conversation.get(event.item_id, "truncate")
        content = item.spoken
        if content is None:
            raise ProtocolError(None, "Only model output audio messages can be truncated.")
        length = -(-content.samples * 1000 // RATE)
        if event.audio_end_ms > length + TRUNCATE_SLACK_MS:
            message = f"Audio content of {length}ms is already shorter than {event.audio_end_ms}ms."
            raise ProtocolError("invalid_value", message, param="audio_end_ms")
        content.cut(to_samples(event.audio_end_ms))
        self._out.command(Trim(item.id, content.samples))
        self._out.event(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=event.content_index,
            audio_end_ms=min(event.audio_end_ms, length),
        )

    def _import_audio(self, item: Item, message: Message) -> None:
        hearing, asked = self._shared.hearing, self._shared.transcribes
        for index, part in enumerate(message.content):
            if isinstance(part, InputAudio) and (audio := get(part.audio, None)):
                assert hearing.format
                content = item.content[index]
                content.asked, content.shown = asked, asked is not None or content.words is not None
                size = len(audio) * 3 // 4
                content.samples = size // 2 if isinstance(hearing.format, Pcm) else size * 3  # 24 kHz from 8
                self._out.command(Import(item.id, index, audio, hearing.format, hearing.transcription or None))
