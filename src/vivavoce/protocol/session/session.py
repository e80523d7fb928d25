"""One session of the Realtime protocol as a state machine that does no I/O.

The driver tells it what happened: a client's event, so many samples of audio, a window of voice activity,
a transcript, a part of an answer, the time. Then it takes what follows from that, in order, with
:meth:`Session.drain`: frames for the client and commands for itself. Time is in seconds of any monotonic
clock; positions are 24 kHz samples. Nothing here raises for what a client does: that becomes an ``error``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from vivavoce.protocol.session import config as configs
from vivavoce.protocol.session.commands import Close, Context, Turn
from vivavoce.protocol.session.config import Config, Settings
from vivavoce.protocol.session.conversation import Conversation
from vivavoce.protocol.session.editing import Editing
from vivavoce.protocol.session.items import Content, Item
from vivavoce.protocol.session.listening import Listening
from vivavoce.protocol.session.mcp import Mcp, McpFailure
from vivavoce.protocol.session.outbox import Ids, Outbox, Output
from vivavoce.protocol.session.parts import Part
from vivavoce.protocol.session.replies import Replies
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.transcription import Heard, HeardFailed, Transcriptions
from vivavoce.protocol.wire import events
from vivavoce.protocol.wire.config import AudioInput, RealtimeConfig, Tool
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import ClientEvent, ResponseParams
from vivavoce.protocol.wire.shape import check, get

__all__ = ["LONGEST_SECONDS", "Session"]

LONGEST_SECONDS = 3600.0
"""S-46, O-51."""


class Session:
    def __init__(
        self,
        now: float,
        settings: Settings,
        config: Config,
        ids: Ids,
        *,
        media: bool = False,
        forgiving: bool = False,
        conversation_id: str | None = None,
        said: Iterable[Item] = (),
    ) -> None:
        """``said`` has been said before, in the conversation of this id: nothing is told of it. ``media``: the client
        is on a media track, which plays what is sent and tells of it with
        :meth:`played`; on a WebSocket the client plays, and truncates by itself. ``forgiving``: see
        :class:`Shared`."""
        out = Outbox(ids)
        self._out = out
        conversation = Conversation(conversation_id or ids("conv"), out)
        self._shared = Shared(settings, config, media, out, conversation, now, forgiving)
        for item in said:
            conversation.restore(item)
            self._shared.voice_locked |= item.spoken is not None
        self._mcp = Mcp(self._shared)
        self._replies = Replies(self._shared, self._mcp)
        self._listening = Listening(self._shared, self._replies)
        self._editing = Editing(self._shared)
        self._transcriptions = Transcriptions(self._shared)
        self._expires = now + LONGEST_SECONDS
        out.event("session.created", session=self.view())
        self._mcp.adopt(self._tools)

    # What the driver may ask ------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        return self._shared.config

    @property
    def hearing(self) -> AudioInput:
        """How it hears: everything in it is set."""
        return self._shared.hearing

    @property
    def speaks(self) -> bool:
        """Whether :meth:`drain` has something."""
        return self._out.speaks

    @property
    def detects(self) -> bool:
        """Whether voice activity is wanted at all."""
        return self._listening.detects

    @property
    def turn(self) -> Turn | None:
        """What is being said, where voice activity is wanted and somebody speaks."""
        return self._listening.turn

    @property
    def keep_from(self) -> int:
        """Input before this sample will not be asked for any more."""
        return self._listening.keep_from

    @property
    def spoken(self) -> str:
        """The words of what sounds."""
        return self._replies.spoken

    @property
    def busy(self) -> bool:
        """Whether an answer is being made or heard."""
        return self._replies.busy or self._replies.playback.sounding

    def preview(self, item_id: str, words: str) -> Context | None:
        """What the answer to a turn would be made from, if it ended now with these words; None where there would
        be no answer. Nothing comes of asking."""
        item = Item(item_id, "message", role="user", content=[Content("input_audio", words=words)])
        return self._replies.preview(item)

    def view(self) -> dict[str, Any]:
        """The session object (S-09)."""
        return configs.echo(self._shared.config, self._shared.settings)

    def deadline(self) -> float:
        """When :meth:`tick` must be called at the latest."""
        deadlines = (self._listening.deadline, self._replies.deadline)
        return min([self._expires, *(each for each in deadlines if each is not None)])

    def drain(self) -> list[Output]:
        return self._out.drain()

    # What happened ----------------------------------------------------------------------------------

    def client(self, now: float, data: Mapping[str, Any], origin: str = "") -> None:
        """A client's event, other than a good ``input_audio_buffer.append`` (see :meth:`audio`). An error that it
        causes is marked with its ``origin``."""
        self._shared.now = now
        given = data.get("event_id")
        try:
            event = check(data, cast(type[ClientEvent], ClientEvent))
            _HANDLERS[type(event)](self, event)
        except ProtocolError as error:
            self._out.error(error, given if isinstance(given, str) else None, origin)

    def refuse(self, error: ProtocolError, event_id: str | None = None) -> None:
        """Tell the client of a mistake that the driver found, in its audio for instance."""
        self._out.error(error, event_id)

    def audio(self, now: float, samples: int) -> None:
        """So much input arrived, as 24 kHz samples. The hot path."""
        self._shared.now = now
        self._listening.audio(samples)

    def speech(self, end: int, probability: float) -> None:
        """The input up to sample ``end``, from where the last call ended, holds speech with this probability
        (0 to 1). In order; may lag behind :meth:`audio`."""
        self._listening.speech(end, probability)

    def endpoint(self, item_id: str, finished: float) -> None:
        """The opinion that :class:`MayEnd` wanted: how likely (0 to 1) the words of the turn are finished."""
        self._listening.endpoint(item_id, finished)

    def judged(self, item_id: str, *, wants_floor: bool, echo: bool = False) -> None:
        """The answer to :class:`Doubted`. ``echo``: it was the answer itself that was heard."""
        self._listening.judged(item_id, wants_floor=wants_floor, echo=echo)

    def transcript_begins(self, item_id: str, words: str) -> None:
        """The first words that recognition is sure of, before its result."""
        self._transcriptions.begin(item_id, words)

    def transcript(self, item_id: str, result: Heard | HeardFailed) -> None:
        """What recognition found in a user's audio."""
        self._transcriptions.take(item_id, result)

    def model(self, now: float, response_id: str, part: Part) -> None:
        """A part of an answer. The last is ``Done`` or ``Failed``."""
        self._shared.now = now
        self._replies.take(response_id, part)

    def played(self, now: float, item_id: str, ms: int, *, drained: bool) -> None:
        """A media track's word on how much of an item was heard, and whether nothing is left to play."""
        self._shared.now = now
        self._replies.played(item_id, ms, drained=drained)

    def mcp_listed(self, server_label: str, found: Sequence[Mapping[str, Any]] | McpFailure) -> None:
        """The answer to :class:`ListMcp`: ``name``, ``description``, ``input_schema`` and ``annotations`` of each
        tool, or why there is none."""
        self._mcp.listed(server_label, found)

    def mcp_result(self, response_id: str, item_id: str, result: str | McpFailure) -> None:
        """The answer to :class:`CallMcp`."""
        self._replies.under_way.mcp_result(response_id, item_id, result)

    def tick(self, now: float) -> None:
        """Time has passed, to :meth:`deadline` or not."""
        self._shared.now = now
        self._listening.tick()
        self._replies.tick()
        if now >= self._expires:
            message = f"Your session hit the maximum duration of {int(LONGEST_SECONDS // 60)} minutes."
            self._out.error(ProtocolError("session_expired", message))
            self._out.command(Close(1001, message))
            self._expires = float("inf")

    # ------------------------------------------------------------------------------------------------

    @property
    def _tools(self) -> Sequence[Tool]:
        config = self._shared.config
        return get(config.tools, []) if isinstance(config, RealtimeConfig) else []

    def _update(self, event: events.UpdateSession) -> None:
        shared = self._shared
        new = configs.updated(shared.config, event.session, voice_locked=shared.voice_locked)
        given = get(event.session.tools, []) if isinstance(event.session, RealtimeConfig) else []
        self._mcp.check(given, "session.tools")
        shared.config = new
        self._listening.configure(shared.detection)
        self._out.event("session.updated", session=self.view())
        self._mcp.adopt(given)

    def _create_item(self, event: events.CreateItem) -> None:
        answer = event.item if isinstance(event.item, events.McpApprovalResponse) else None
        if answer and not self._replies.under_way.awaits(answer.approval_request_id):
            message = f"No call waits for approval under '{answer.approval_request_id}'."
            raise ProtocolError("invalid_value", message, param="item.approval_request_id")
        self._editing.create(event)
        if answer:
            reason = get(answer.reason, None)
            self._replies.under_way.approved(answer.approval_request_id, approve=answer.approve, reason=reason)

    def _truncate(self, event: events.TruncateItem) -> None:
        self._editing.truncate(event)
        self._replies.quiet.silenced()

    def _create_response(self, event: events.CreateResponse) -> None:
        if not isinstance(self._shared.config, RealtimeConfig):
            raise ProtocolError("invalid_value", "A transcription session makes no responses.", param="type")
        params = get(event.response, ResponseParams())
        configs.refuse_prompt(params.prompt, "response.prompt")
        self._replies.create(params)


_HANDLERS: Final[Mapping[type, Callable[[Session, Any], None]]] = {
    events.UpdateSession: Session._update,
    events.Append: lambda self, event: None,
    events.Commit: lambda self, event: self._listening.commit(),
    events.Clear: lambda self, event: self._listening.clear(),
    events.CreateItem: Session._create_item,
    events.RetrieveItem: lambda self, event: self._editing.retrieve(event),
    events.DeleteItem: lambda self, event: self._editing.delete(event),
    events.TruncateItem: Session._truncate,
    events.CreateResponse: Session._create_response,
    events.Cancel: lambda self, event: self._replies.cancel(get(event.response_id, None)),
    events.ClearOutput: lambda self, event: self._replies.clear_output(),
}
