"""What is heard of a caller, as the session takes it: mono PCM at the house rate, in which lost packets count as
time and are concealed (W-10). Pure."""

from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import LONGEST, UNIT, OpusDecoder, OpusError
from vivavoce.transports.webrtc.arrival import MAX_GAP, TICKS, Packet

__all__ = ["Inbound"]

BYTES_A_TICK = 2 * HOUSE_RATE / TICKS
"""Of PCM: one."""


class Inbound:
    """One stream. It adds no delay of its own."""

    def __init__(self) -> None:
        self._decoder = OpusDecoder()
        self._expected: int | None = None
        self._damaged = False

    def push(self, packet: Packet) -> bytes:
        """The sound since the last packet: any hole before this one filled, and what it holds itself."""
        if not packet.payload:  # it asks the network how fast it is, and holds nothing
            return b""
        missing = 0 if self._expected is None else packet.timestamp - self._expected
        filling = self._fill(missing, packet) if 0 < missing <= MAX_GAP else b""
        try:
            heard = self._decoder.decode(packet.payload)
        except OpusError:
            heard = b""
        self._damaged = not heard  # its time counts as lost, and is filled when the next one comes
        self._expected = packet.timestamp + round(len(heard) / BYTES_A_TICK)
        return filling + heard

    def _fill(self, missing: int, packet: Packet) -> bytes:
        """A hole by loss sounds like its edges for 120 ms, then it is silent; a pause of the sender's is silence."""
        size = round(missing * BYTES_A_TICK)
        if not packet.lost and not self._damaged:
            return bytes(size)
        samples = size // 2
        successor = packet.payload if samples <= LONGEST else None
        return self._concealed(min(samples, LONGEST) // UNIT * UNIT, successor).ljust(size, b"\0")

    def _concealed(self, samples: int, successor: bytes | None) -> bytes:
        try:
            return self._decoder.conceal(samples, successor) if samples else b""
        except OpusError:  # the successor is damaged too
            return b""
