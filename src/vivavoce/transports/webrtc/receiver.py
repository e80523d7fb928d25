"""aiortc's receiver without its thread: packets are put in order and decoded where they arrive.

aiortc gives each receiver a decoder thread, a queue to it and one back, and keeps back four packets of sound, after
the first loss fifteen. Decoding 20 ms of speech takes 30 µs, less than the way to that thread and back. What is
kept of aiortc's receiver are its reports to the sender (RTCP). This leans on parts of aiortc that are not public, so
``pyproject.toml`` bounds its version, and the tests of calls fail if they change.
"""

import asyncio
from collections.abc import Callable

from aiortc import RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics
from aiortc.rtp import RtpPacket

from vivavoce.transports.webrtc.arrival import TICKS, Arrivals, Packet
from vivavoce.transports.webrtc.inbound import Inbound

__all__ = ["Receiver", "hear"]


def hear(transceiver: RTCRtpTransceiver, heard: Callable[[bytes], None]) -> None:
    """From now on ``heard`` is called with PCM at the house rate as it comes in. To be called before the
    transceiver's peer connection has a remote description."""
    ours = Receiver(transceiver.receiver.transport, heard)
    ours._set_rtcp_ssrc(transceiver.sender._ssrc)
    transceiver._RTCRtpTransceiver__receiver = ours  # type: ignore[attr-defined]


class Receiver(RTCRtpReceiver):
    """Opus alone, of one stream at a time."""

    def __init__(self, transport: RTCDtlsTransport, heard: Callable[[bytes], None]) -> None:
        super().__init__("audio", transport)
        self._heard = heard
        self._ssrc: int | None = None
        self._payload_types: set[int] = set()
        self._arrivals, self._inbound = Arrivals(), Inbound()
        self._statistics: dict[int, StreamStatistics] = self._RTCRtpReceiver__remote_streams  # type: ignore[attr-defined]
        self._reports: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        if self._reports is None:
            self._payload_types = {codec.payloadType or 0 for codec in parameters.codecs if codec.name == "opus"}
            self.transport._register_rtp_receiver(self, parameters)
            self._reports = asyncio.create_task(self._run_rtcp(), name="rtcp of a receiver")

    async def stop(self) -> None:
        self._handle_disconnect()
        if self._reports is not None:
            self.transport._unregister_rtp_receiver(self)
            self._reports.cancel()
            await asyncio.wait([self._reports])

    def _handle_disconnect(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        if not self._enabled or packet.payload_type not in self._payload_types:
            return
        if packet.ssrc != self._ssrc:
            self._statistics.clear()
            self._statistics[packet.ssrc] = StreamStatistics(TICKS)
            self._ssrc, self._arrivals, self._inbound = packet.ssrc, Arrivals(), Inbound()
        self._statistics[packet.ssrc].add(packet)
        now = asyncio.get_running_loop().time()
        self._take(self._arrivals.push(packet.sequence_number, packet.timestamp, packet.payload, now))

    def _take(self, packets: list[Packet]) -> None:
        if packets:
            self._heard(b"".join([self._inbound.push(packet) for packet in packets]))
        deadline = self._arrivals.deadline()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if deadline is not None:
            self._alarm = asyncio.get_running_loop().call_at(deadline, self._late)

    def _late(self) -> None:
        self._take(self._arrivals.due(asyncio.get_running_loop().time()))
