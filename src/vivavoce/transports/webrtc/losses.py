"""What a listener loses of the answer, by its own reports (RTCP), so that packets carry their predecessor then."""

from collections.abc import Callable

from aiortc import RTCRtpSender
from aiortc.rtp import AnyRtcpPacket, RtcpRrPacket, RtcpSrPacket

__all__ = ["MAX_PERCENT", "Losses", "follow"]

MAX_PERCENT = 20
"""Beyond this, more repetition would take too much from the voice itself."""
FADE = 0.8
"""Of a reported loss that is kept for the next report, some seconds later: losses come in spells."""


class Losses:
    """Reports in, the loss to expect in per cent out. Pure."""

    def __init__(self) -> None:
        self._percent = 0.0

    def reported(self, fraction: int) -> int:
        """``fraction``: of the packets since the last report, in 256ths (RFC 3550, 6.4.1)."""
        self._percent = max(fraction * 100 / 256, self._percent * FADE)
        return min(MAX_PERCENT, int(self._percent))


def follow(sender: RTCRtpSender, expect: Callable[[int], None]) -> None:
    """``expect`` is told the loss to expect whenever it changes."""
    handle, losses, expected = sender._handle_rtcp_packet, Losses(), 0

    async def handle_and_follow(packet: AnyRtcpPacket) -> None:
        nonlocal expected
        await handle(packet)
        for report in packet.reports if isinstance(packet, RtcpRrPacket | RtcpSrPacket) else ():
            if report.ssrc == sender._ssrc and (percent := losses.reported(report.fraction_lost)) != expected:
                expected = percent
                expect(percent)

    sender._handle_rtcp_packet = handle_and_follow  # type: ignore[method-assign]
