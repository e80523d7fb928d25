"""aiortc's sender without its tasks: what the speaker gives leaves in the same moment.

What the listener's reports say of lost packets has the speaker repeat them. It asks for none again (NACK): for sound
that is not agreed on.
"""

import asyncio

from aiortc import RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtcrtpsender import RTCRtpSender, random_sequence_number
from aiortc.rtp import AnyRtcpPacket, RtcpRrPacket, RtcpSrPacket
from aiortc.utils import random32

from vivavoce.transports.webrtc.losses import Losses
from vivavoce.transports.webrtc.reports import Reporter, Reports
from vivavoce.transports.webrtc.rtp import Header, mid_extension
from vivavoce.transports.webrtc.track import Speaker
from vivavoce.transports.webrtc.wire import Wire

__all__ = ["Sender", "speak"]

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"


def speak(transceiver: RTCRtpTransceiver, speaker: Speaker) -> Reporter:
    """From now on the speaker's packets leave here; returns what reports of them. To be called before the transceiver's
    peer connection has a remote description."""
    ours = Sender(transceiver.receiver.transport, speaker)
    ours._stream_id = transceiver.sender._stream_id
    transceiver._RTCRtpTransceiver__sender = ours  # type: ignore[attr-defined]
    return ours.reporter


class Sender(RTCRtpSender):
    def __init__(self, transport: RTCDtlsTransport, speaker: Speaker) -> None:
        super().__init__("audio", transport)
        self._speaker, self._loop = speaker, asyncio.get_running_loop()
        self.reporter = Reporter(Reports(self._ssrc, f"{self._ssrc:08x}"))
        self._sequence, self._origin = random_sequence_number(), random32()
        self._losses, self._expected = Losses(), 0
        self._wire: Wire | None = None
        self._header: Header | None = None

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """aiortc calls this when the connection stands."""
        if self._wire is None:
            self.transport._register_rtp_sender(self, parameters)  # for the caller's reports
            extension = next((each.id for each in parameters.headerExtensions if each.uri == MID), None)
            payload_type = parameters.codecs[0].payloadType or 0
            self._header = Header(payload_type, self._ssrc, mid_extension(extension, parameters.muxId))
            self._wire = Wire(self.transport)
            self.reporter.reports.cname = parameters.rtcp.cname or ""
            self.reporter.begin(self._wire.report)
            self._speaker.begin(self._transmit)

    async def stop(self) -> None:
        self._speaker.stop()
        if self._wire is not None:
            self.reporter.end()
            self.transport._unregister_rtp_sender(self)

    def _transmit(self, payload: bytes, tick: int, begins: bool) -> None:
        assert self._wire is not None
        assert self._header is not None
        timestamp = (self._origin + tick) & 0xFFFFFFFF
        self._wire.send(self._header.before(payload, self._sequence, timestamp, begins=begins))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.reporter.reports.sent(timestamp, len(payload), self._loop.time())

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        for report in packet.reports if isinstance(packet, RtcpRrPacket | RtcpSrPacket) else ():
            if report.ssrc == self._ssrc and (percent := self._losses.reported(report.fraction_lost)) != self._expected:
                self._expected = percent
                self._speaker.expect_loss(percent)
