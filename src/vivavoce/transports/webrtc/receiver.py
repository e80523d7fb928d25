"""aiortc's receiver without its thread: packets are put in order and decoded where they arrive.

aiortc gives each receiver a decoder thread, a queue to it and one back, and keeps back four packets of sound, after
the first loss fifteen. Decoding 20 ms of speech takes 30 µs, less than the way to that thread and back.
"""

import asyncio
from collections.abc import Callable

from aiortc import RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket

from vivavoce.transports.webrtc.arrival import Arrivals, Packet
from vivavoce.transports.webrtc.inbound import Inbound
from vivavoce.transports.webrtc.reports import Reporter
from vivavoce.transports.webrtc.rtp import read
from vivavoce.transports.webrtc.wire import Wire

__all__ = ["Receiver", "hear"]


def hear(transceiver: RTCRtpTransceiver, heard: Callable[[bytes], None], reporter: Reporter) -> None:
    """From now on ``heard`` is called with PCM at the house rate as it comes in. To be called before the
    transceiver's peer connection has a remote description."""
    ours = Receiver(transceiver.receiver.transport, heard, reporter)
    transceiver._RTCRtpTransceiver__receiver = ours  # type: ignore[attr-defined]


class Receiver(RTCRtpReceiver):
    """Opus alone, of one stream at a time."""

    def __init__(self, transport: RTCDtlsTransport, heard: Callable[[bytes], None], reporter: Reporter) -> None:
        super().__init__("audio", transport)
        self._heard, self._reporter = heard, reporter
        self._loop = asyncio.get_running_loop()  # to ask for it is a call of the kernel in Python 3.11
        self._ssrc: int | None = None
        self._payload_types: set[int] = set()
        self._arrivals, self._inbound = Arrivals(), Inbound()
        self._wire: Wire | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """aiortc calls this when the connection stands."""
        if self._wire is None:
            self._payload_types = {codec.payloadType or 0 for codec in parameters.codecs if codec.name == "opus"}
            self.transport._register_rtp_receiver(self, parameters)  # for the caller's reports
            self._wire = Wire(self.transport)
            self._wire.tap(self._arrived)
            self._reporter.begin(self._wire.report)

    async def stop(self) -> None:
        self._handle_disconnect()
        if self._wire is not None:
            self._wire.untap()
            self._reporter.end()
            self.transport._unregister_rtp_receiver(self)

    def _handle_disconnect(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket):
            self._reporter.reports.told(packet, self._loop.time())

    def _arrived(self, data: bytes) -> None:
        packet = read(data)
        if packet is None or not self._enabled or packet.payload_type not in self._payload_types:
            return
        if packet.ssrc != self._ssrc:
            self._begin(packet.ssrc)
        self._reporter.reports.heard(packet)
        now = self._loop.time()
        self._take(self._arrivals.push(packet.sequence_number, packet.timestamp, packet.payload, now))

    def _begin(self, ssrc: int) -> None:
        self._ssrc, self._arrivals, self._inbound = ssrc, Arrivals(), Inbound()
        reporting = self.transport._rtp_router.ssrc_table  # whose reports are for us
        reporting.clear()
        reporting[ssrc] = self

    def _take(self, packets: list[Packet]) -> None:
        if packets:
            self._heard(b"".join([self._inbound.push(packet) for packet in packets]))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        deadline = self._arrivals.deadline()
        if deadline is not None:
            self._alarm = self._loop.call_at(deadline, self._late)

    def _late(self) -> None:
        self._take(self._arrivals.due(self._loop.time()))
