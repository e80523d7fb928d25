"""What the other end is told of a call's sound, both ways: reports of RTCP (RFC 3550, 6.4).

From ours it learns what it loses on the way here, and repeats packets then; from its own, we do (``losses.py``).
"""

import asyncio
import random
from collections.abc import Callable

from aiortc import clock
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    RtcpByePacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from vivavoce.transports.webrtc.arrival import TICKS
from vivavoce.transports.webrtc.rtp import Received

__all__ = ["INTERVAL", "Reporter", "Reports"]

INTERVAL = 2.5
"""Seconds between two reports, give or take half of it by chance. RFC 3550 (6.2) asks for 5 at least, where feedback is
not agreed on as it is here (RFC 4585, 3.4); ones that come sooner have a caller repeat sooner."""
_CNAME = 1
_WORD = 0xFFFFFFFF


class Reports:
    """One call's. Times are the loop's, in seconds; ``ntp`` is the wall clock's, as RTCP has it. Pure."""

    def __init__(self, ssrc: int, cname: str) -> None:
        self._ssrc, self.cname = ssrc, cname
        self._heard_ssrc, self._heard = 0, StreamStatistics(TICKS)
        self._their_report: tuple[int, float] | None = None  # the middle of its NTP time, and when it came
        self._packets = self._octets = self._told = 0
        self._timestamp, self._sent_at = 0, 0.0

    def sent(self, timestamp: int, octets: int, now: float) -> None:
        self._timestamp, self._sent_at = timestamp, now
        self._packets += 1
        self._octets += octets

    def heard(self, packet: Received) -> None:
        if packet.ssrc != self._heard_ssrc:
            self._heard_ssrc, self._heard, self._their_report = packet.ssrc, StreamStatistics(TICKS), None
        self._heard.add(packet)  # type: ignore[arg-type]  # of a packet it asks for numbers that ours has, too

    def told(self, report: RtcpSrPacket, now: float) -> None:
        """The other end has reported."""
        if report.ssrc == self._heard_ssrc:
            self._their_report = report.sender_info.ntp_timestamp >> 16 & _WORD, now

    def report(self, now: float, ntp: int) -> bytes:
        """What there is to tell; nothing where there is nothing."""
        blocks = [self._block(now)] if self._heard.packets_received else []
        packet: RtcpSrPacket | RtcpRrPacket
        if self._packets != self._told:
            self._told = self._packets
            timestamp = self._timestamp + int((now - self._sent_at) * TICKS)
            sent = RtcpSenderInfo(ntp, timestamp & _WORD, self._packets & _WORD, self._octets & _WORD)
            packet = RtcpSrPacket(self._ssrc, sent, blocks)
        elif blocks:
            packet = RtcpRrPacket(self._ssrc, blocks)
        else:
            return b""
        name = RtcpSdesPacket([RtcpSourceInfo(self._ssrc, [(_CNAME, self.cname.encode())])])
        return bytes(packet) + bytes(name)

    def farewell(self) -> bytes:
        return bytes(RtcpRrPacket(self._ssrc)) + bytes(RtcpByePacket([self._ssrc]))

    def _block(self, now: float) -> RtcpReceiverInfo:
        stream = self._heard
        report, came = self._their_report or (0, now)
        return RtcpReceiverInfo(
            ssrc=self._heard_ssrc,
            fraction_lost=stream.fraction_lost,
            packets_lost=stream.packets_lost,
            highest_sequence=((stream.max_seq or 0) + stream.cycles) & _WORD,
            jitter=stream.jitter & _WORD,
            lsr=report,
            dlsr=int((now - came) * 65536) & _WORD,
        )


class Reporter:
    """Sends them, from :meth:`begin` to :meth:`end`."""

    def __init__(self, reports: Reports, chance: Callable[[], float] = random.random) -> None:
        self.reports, self._chance = reports, chance
        self._send: Callable[[bytes], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, send: Callable[[bytes], None]) -> None:
        if self._send is None:
            self._send = send
            self._again()

    def end(self) -> None:
        if self._timer is not None and self._send is not None:
            self._timer.cancel()
            self._timer = None
            self._send(self.reports.farewell())

    def _again(self) -> None:
        delay = INTERVAL * (0.5 + self._chance())
        self._timer = asyncio.get_running_loop().call_later(delay, self._report)

    def _report(self) -> None:
        assert self._send is not None
        if packet := self.reports.report(asyncio.get_running_loop().time(), clock.current_ntp_time()):
            self._send(packet)
        self._again()
