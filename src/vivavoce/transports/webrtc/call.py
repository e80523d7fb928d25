"""One WebRTC call: an offer in, an answer and a Line out.

Sound comes in as APPEND frames of about 20 ms and goes out as AUDIO_DELTA frames on the track, both 24 kHz
mono PCM; all else goes over the data channel (W-06, W-08). FLUSH and ``response.output_audio.done`` concern
the track as well; PLAYED frames tell what the caller has heard.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiortc import (
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.frame import APPEND, AUDIO_DELTA, FLUSH, HOLD, REST, Frame
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.transports.webrtc.channel import LABEL, Events
from vivavoce.transports.webrtc.ice import Reach, configuration, prepare, reach
from vivavoce.transports.webrtc.inbox import Inbox
from vivavoce.transports.webrtc.receiver import hear
from vivavoce.transports.webrtc.sdp import Offer, invalid_offer, read_offer
from vivavoce.transports.webrtc.sender import speak
from vivavoce.transports.webrtc.track import Speaker

__all__ = ["Call", "answer", "reach"]

CONNECT_TIMEOUT = 15.0
"""Seconds from the answer until the data channel must be open."""
AUDIO_DONE = "response.output_audio.done"

log = logging.getLogger(__name__)


async def answer(
    offer_sdp: str,
    dialect: Dialect,
    *,
    new_id: Callable[[], str],
    connect_timeout: float = CONNECT_TIMEOUT,
    reach: Reach | None = None,
    servers: Sequence[Mapping[str, Any]] = (),
) -> tuple["Call", str]:
    """The call that answers an offer, and the SDP of the answer, with every candidate in it (H-21).

    ``new_id`` makes ids for the error events the call answers with. Raises :class:`ProtocolError` with the
    code ``invalid_offer`` for what cannot be answered, and ``no_udp_port`` where ``reach`` has none left. ``servers``
    are those of STUN and TURN that are asked how we can be reached, as browsers take them. The call waits for its
    caller ``connect_timeout`` seconds; whoever gets it closes it.
    """
    offer = read_offer(offer_sdp)
    peer = RTCPeerConnection(configuration(servers))
    call = Call(peer, offer, Events(dialect, offer.message_size, new_id), connect_timeout)
    try:
        return call, await call._accept(offer, reach)
    except BaseException:
        await call.close()
        raise


class Call:
    """A Line. Made by :func:`answer`."""

    def __init__(self, peer: RTCPeerConnection, offer: Offer, events: Events, connect_timeout: float) -> None:
        self._peer = peer
        self._events = events
        self._inbox = Inbox()
        self._received: deque[Frame] = deque()  # the rest of a message that held several frames
        self._speaker = Speaker(self._inbox.put)
        self._caller_speaks = offer.speaks
        self._closing: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        late = f"No data channel {LABEL!r} came about within {connect_timeout:g} s."
        self._deadline = loop.call_later(connect_timeout, self._lost, 1006, late)
        peer.on("datachannel", self._channel_made)
        peer.on("connectionstatechange", self._state_changed)

    async def receive(self) -> Frame:
        while not self._received:
            thing = await self._inbox.get()
            try:
                self._received.extend(self._frames(thing))
            except ProtocolError as error:
                await self.send(self._events.refusal(error))
        return self._received.popleft()

    async def send(self, frame: Frame) -> None:
        self._inbox.check()
        if frame.type == AUDIO_DELTA:
            await self._speaker.put(frame.data["item_id"], frame.audio or b"")
            return  # it is the track's now, even if the call has ended meanwhile: see :meth:`rest`
        if frame.type == FLUSH:
            self._speaker.flush(frame.data.get("item_id"))
        elif frame.type == HOLD:
            self._speaker.hold(on=frame.data["on"])
        elif frame.type == REST:
            self._speaker.restore(frame)
        else:
            if frame.type == AUDIO_DONE:
                self._speaker.finish(frame.data["item_id"])
            try:
                await self._events.send(frame)
            except TimeoutError:
                await self.close(1008, "You read too slowly: events waited too long for room on the data channel.")
        self._inbox.check()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._closing is None:
            self._end(code, reason)
            self._inbox.clear()
            self._received.clear()
            self._closing = asyncio.create_task(self._shut())
        await asyncio.shield(self._closing)  # whoever waits may be cancelled; the call is freed all the same

    def rest(self) -> list[Frame]:
        """What the caller has not heard of what was sent, as REST frames for the call that takes this one's place."""
        return self._speaker.rest()

    async def _accept(self, offer: Offer, reach: Reach | None) -> str:
        ours = self._peer.addTransceiver("audio")
        hear(ours, self._heard_sound, speak(ours, self._speaker))
        ours.setCodecPreferences(
            [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.name == "opus"]
        )
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        except Exception as error:  # aiortc raises all sorts for an offer that parses and still is none
            raise invalid_offer(f"The SDP offer cannot be answered: {error or type(error).__name__}.") from error
        for other in self._peer.getTransceivers():
            if other is not ours:
                other.direction = "inactive"  # a camera, a second microphone
        for codec in ours._codecs:
            codec.parameters["useinbandfec"] = 1  # we make use of what a packet repeats of the one before
        prepare(self._peer, reach, self._unreachable)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        if not offer.listens:
            self._speaker.begin(None)
        return self._peer.localDescription.sdp

    def _heard_sound(self, pcm: bytes) -> None:
        self._inbox.put(Frame(APPEND, {"type": APPEND}, pcm), len(pcm))

    def _frames(self, thing: Frame | str | bytes) -> list[Frame]:
        if isinstance(thing, Frame):
            return [thing]
        frames = self._events.read(thing)
        # Sound on the data channel, next to that on the track, would be heard twice (W-08).
        return [frame for frame in frames if frame.type != APPEND or not self._caller_speaks]

    def _channel_made(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL or self._events.attached:
            log.warning("The data channel %.40r of a call is left alone: events go over one %r", channel.label, LABEL)
            return
        self._deadline.cancel()
        self._events.attach(channel, self._heard, self._gone)

    def _heard(self, message: str | bytes) -> None:
        self._inbox.put(message, len(message))

    def _state_changed(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._gone()

    def _gone(self) -> None:
        if self._peer.connectionState == "failed":
            self._unreachable()
        else:
            self._lost(1000, "The caller hung up.")

    def _unreachable(self) -> None:
        self._lost(1006, "The connection to the caller was lost.")

    def _lost(self, code: int, reason: str) -> None:
        self._end(code, reason)
        self._events.stop()

    def _end(self, code: int, reason: str) -> None:
        """Wakes whoever waits. What the call holds is freed by :meth:`close`."""
        self._deadline.cancel()
        self._inbox.end(code, reason)
        self._speaker.stop()

    async def _shut(self) -> None:
        await self._events.close()
        self._events.stop()
        await self._peer.close()
        for transceiver in self._peer.getTransceivers():
            await transceiver.stop()  # aiortc, closed while it connects, may have started them meanwhile
