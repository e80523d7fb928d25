"""The input side: audio arrives, a turn begins and ends, the buffer becomes a user's item.

Positions are 24 kHz samples from the start of the session. The buffer is the span from ``_start`` to what
was received; the bytes are the driver's.
"""

from vivavoce.protocol.session.commands import RATE, Doubted, MayEnd, Span, Transcribe, Turn, WentOn, to_ms
from vivavoce.protocol.session.doubt import Outcome
from vivavoce.protocol.session.items import Content, Item
from vivavoce.protocol.session.overheard import Overheard
from vivavoce.protocol.session.pauses import Pauses
from vivavoce.protocol.session.replies import Replies
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.turn import Happened, State, TurnDetector, timing
from vivavoce.protocol.wire.config import ServerVad, TurnDetection
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import get

__all__ = ["Listening"]

LEAST_COMMIT_MS = 100
"""O-21."""
CUT_IN = RATE
"""Who speaks again this soon after a turn was taken for over had only paused."""
STALL_SECONDS = 1.0
"""A stream that stops in the middle of speech has ended its turn after this long: the one wall-clock rule."""
MOST_INPUT = 10 * 60 * RATE
"""Uncommitted input that a session holds: 29 MB."""
OVERFLOW_STEP = 60 * RATE
KEPT = RATE
"""With turn detection on, silence is kept this long beyond the prefix padding, then forgotten."""


class Listening:
    def __init__(self, shared: Shared, replies: Replies) -> None:
        self._shared, self._replies = shared, replies
        self._out = shared.out
        self.received = 0
        self._start = 0
        self._heard = 0
        """Up to here voice activity was told."""
        self._last_audio = 0.0
        self._pauses = Pauses()
        self._ended = (0, -CUT_IN)
        """Of the latest turn that ended by itself: where its voice did, and where that was noticed."""
        self._silent_since: float | None = None
        """When the speaker last fell silent."""
        self._overheard = Overheard(shared, replies)
        self._detector: TurnDetector | None = None
        self.configure(shared.detection)

    @property
    def detects(self) -> bool:
        return self._detector is not None

    @property
    def turn(self) -> Turn | None:
        """What there is to be put into words while it is spoken."""
        if self._detector is None:
            return None
        quiet = self._detector.state is not State.SPEAKING
        if self._overheard.active:
            return Turn(self._overheard.item_id, self._since(self._overheard.since), quiet)
        span = Span(self._start, max(self._start, self._heard))
        return Turn(self._shared.turn, span, quiet) if self._shared.turn else None

    @property
    def keep_from(self) -> int:
        """Audio before this sample will not be asked for any more."""
        if self._detector is None or self._shared.turn is not None:
            return self._start
        heard = min(self._heard, self._overheard.since) if self._overheard.active else self._heard
        kept = heard - self._detector.timing.prefix - KEPT
        return max(self._start, kept)

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        if self._shared.turn is not None or self._overheard.active:
            return self._last_audio + STALL_SECONDS if self._detector else None
        detection, quiet = self._shared.detection, self._replies.quiet.since
        timeout = get(detection.idle_timeout_ms, None) if isinstance(detection, ServerVad) else None
        return quiet + timeout / 1000 if quiet is not None and timeout is not None else None

    def configure(self, detection: TurnDetection | None) -> None:
        """Take new settings; a turn under way keeps its audio and, with detection still on, its end (S-45)."""
        self._start = self.keep_from  # more padding than before cannot bring back what was let go
        if detection is None:
            self._take(self._overheard.drop())
            self._detector = None  # a turn under way waits for a commit by hand, or for detection to be on again
            return
        if self._detector is None:
            self._detector = TurnDetector(timing(detection), speaking=self._shared.turn is not None)
            self._heard = self.received
        self._detector.timing = timing(detection)

    # What comes in ----------------------------------------------------------------------------------

    def audio(self, samples: int) -> None:
        self.received += samples
        self._last_audio = self._shared.now
        if self.received - self._start > MOST_INPUT:
            self._overflow()

    def speech(self, end: int, probability: float) -> None:
        """The window that ends at sample ``end`` holds speech with this probability."""
        if self._detector is None:
            return
        start = max(self._heard, self._start)
        if end <= start:
            return  # of audio that was committed or cleared before it was looked at
        self._heard = end
        happened = self._detector.hear(start, end, probability)
        if self._detector.pausing and self._detector.since == start:
            self._silent_since = self._when(start)
        if self._overheard.active:
            self._take(self._overheard.hear(end - start, voiced=self._detector.state is State.SPEAKING))
            return
        match happened:
            case Happened.STARTED:
                self._voice(self._detector.since, end)
            case Happened.MAY_END if self._shared.turn:
                self._out.command(MayEnd(self._shared.turn, Span(self._start, end), self._detector.timing.semantic))
            case Happened.WENT_ON if self._shared.turn:
                self._pauses.went_on(self._detector.paused)
                self._out.command(WentOn(self._shared.turn, end))
            case Happened.STOPPED:
                self._stop(end)

    def endpoint(self, item_id: str, finished: float) -> None:
        """A semantic detector's opinion on :class:`MayEnd`; too late for a turn that went on or ended."""
        detector = self._detector
        if detector and detector.pausing and detector.timing.semantic and item_id == self._shared.turn:
            timing = detector.timing
            enough = self._pauses.enough(finished, timing.least, timing.most, timing.silence)
            if detector.settle(enough, self._heard):
                self._stop(self._heard)

    def judged(self, item_id: str, *, wants_floor: bool, echo: bool) -> None:
        """An opinion on :class:`Doubted`; too late for what was decided otherwise."""
        self._take(self._overheard.judged(item_id, wants_floor=wants_floor, echo=echo))

    def tick(self) -> None:
        deadline = self.deadline
        if deadline is None or self._shared.now < deadline:
            return
        if self._overheard.active:
            self._take(self._overheard.drop())
        elif self._shared.turn is not None:
            self._end(self.received)
        else:
            self._idle()

    # What a client asks -----------------------------------------------------------------------------

    def commit(self) -> None:
        """``input_audio_buffer.commit`` (O-20, O-19). Raises where there is too little (O-21)."""
        span = Span(max(self._start, self.keep_from), self.received)
        if (span.end - span.start) * 1000 < LEAST_COMMIT_MS * RATE:
            raise ProtocolError(
                "input_audio_buffer_commit_empty",
                f"Error committing input audio buffer: buffer too small. Expected at least {LEAST_COMMIT_MS}ms of "
                f"audio, but buffer only has {(span.end - span.start) * 1000 / RATE:.2f}ms of audio.",
            )
        self._commit(span, self._shared.turn or self._out.ids("item"))

    def clear(self) -> None:
        self._drop(self.received)
        self._out.event("input_audio_buffer.cleared")

    # ------------------------------------------------------------------------------------------------

    def _voice(self, since: int, end: int) -> None:
        """Somebody speaks, or so it seems."""
        assert self._detector is not None
        if not self._overheard.takes(since, end, self._when(since)):
            self._begin(since, self._out.ids("item"))
        elif not self._overheard.active:
            self._detector.reset()

    def _take(self, outcome: Outcome | None) -> None:
        """What has come of a doubt."""
        detector, item_id, since = self._detector, self._overheard.item_id, self._overheard.since
        if detector is None:
            return
        match outcome:
            case Outcome.ASK:
                self._out.command(Doubted(item_id, self._since(since)))
            case Outcome.SPOKE_ON:
                self._out.command(WentOn(item_id, self._heard))
            case Outcome.NOTHING:
                detector.reset()
            case Outcome.INTERRUPTION:
                over = not detector.in_speech
                self._begin(since, item_id)
                detector.again()
                if over:
                    self._stop(self._heard)

    def _since(self, voice: int) -> Span:
        """From the padding before a voice to what was heard."""
        assert self._detector is not None
        return Span(max(self._start, voice - self._detector.timing.prefix), self._heard)

    def _begin(self, voice: int, item_id: str) -> None:
        assert self._detector is not None
        fell_silent, noticed = self._ended
        if voice - noticed < CUT_IN:
            self._pauses.went_on(voice - fell_silent)
        self._start = self._since(voice).start
        self._shared.turn = item_id
        self._replies.hush()
        at = to_ms(self._start)
        self._out.event("input_audio_buffer.speech_started", audio_start_ms=at, item_id=self._shared.turn)
        self._replies.interrupted()

    def _stop(self, end: int) -> None:
        """The silence was long enough."""
        assert self._detector is not None
        self._ended = (self._detector.since, end)
        self._end(end, self._silent_since)

    def _end(self, end: int, silent_since: float | None = None) -> None:
        """The turn has stopped: it is committed, and its item is in the conversation (O-13)."""
        item_id = self._shared.turn
        if item_id is None:
            return
        self._out.event("input_audio_buffer.speech_stopped", audio_end_ms=to_ms(end), item_id=item_id)
        self._commit(Span(self._start, end), item_id, silent_since)
        self._replies.turn_ended()

    def _overflow(self) -> None:
        """The buffer is full: a turn ends here; without turn detection the oldest audio goes, and the client is
        told once a minute of it."""
        if self._shared.turn is not None and self._detector is not None:
            self._end(self.received)
        elif self._detector is None:
            self._start = self.received - MOST_INPUT + OVERFLOW_STEP
            message = f"The input audio buffer holds {MOST_INPUT // RATE // 60} minutes; the oldest minute was dropped."
            self._out.error(ProtocolError("input_audio_buffer_full", message + " Commit or clear it."))

    def _idle(self) -> None:
        """Nobody has spoken for ``idle_timeout_ms``: the silence is committed, and the mind asked to speak (O-37)."""
        self._replies.quiet.broken()
        span, item_id = Span(max(self._start, self.keep_from), self.received), self._out.ids("item")
        where = {"audio_start_ms": to_ms(span.start), "audio_end_ms": to_ms(span.end)}
        self._out.event("input_audio_buffer.timeout_triggered", **where, item_id=item_id)
        self._commit(span, item_id)
        self._replies.answer()

    def _commit(self, span: Span, item_id: str, silent_since: float | None = None) -> None:
        self._drop(span.end)
        hints = self._shared.hearing.transcription or None
        conversation = self._shared.conversation
        self._out.event("input_audio_buffer.committed", previous_item_id=conversation.tail, item_id=item_id)
        asked = self._shared.transcribes
        samples = span.end - span.start
        audio = Content("input_audio", words=None, samples=samples, shown=asked is not None, asked=asked)
        item = Item(item_id, "message", role="user", content=[audio])
        conversation.add(item)
        conversation.done(item)
        self._out.command(Transcribe(item_id, span, hints, silent_since))

    def _drop(self, upto: int) -> None:
        self._start, self._shared.turn = upto, None
        if self._detector:
            self._take(self._overheard.drop())
            self._detector.reset()

    def _when(self, sample: int) -> float:
        """When this sample, of the latest audio, came in."""
        return self._shared.now - (self.received - sample) / RATE
