"""Packets that overtake one another, put in order without waiting for a loudspeaker.

aiortc keeps back four packets of sound so that playing them never stutters, and after the first lost packet
fifteen, until the call ends: 80 and 300 ms in which nobody notices that the caller has spoken. A session
plays nothing. It counts audio, and takes it as unevenly as it comes, so all that is left to do is sorting.
"""

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer

__all__ = ["REORDERED", "sort_only"]

REORDERED = 4
"""Packets, 20 ms each: what comes later than this many after its place counts as lost. One is kept back,
since the next shows that it is whole; after a loss, three."""


def sort_only(receiver: RTCRtpReceiver) -> None:
    """To be called before the receiver starts. aiortc has no setting for this; a test holds the delay."""
    receiver._RTCRtpReceiver__jitter_buffer = JitterBuffer(capacity=REORDERED, prefetch=1)  # type: ignore[attr-defined]
