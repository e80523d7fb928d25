"""WebRTC without media: what was offered, and the far side of each call."""

from tests.support.lines import MemoryLine
from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.frame import Line
from vivavoce.protocol.wire.errors import ProtocolError

__all__ = ["ANSWER", "OFFER", "Calls"]

OFFER = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=offer\r\n"
ANSWER = "v=0\r\no=- 3 4 IN IP4 127.0.0.1\r\ns=answer\r\n"


class Calls:
    """``answer`` is what ``server.app.build`` takes as ``answer_call``. An offer with "garbage" in it is refused."""

    def __init__(self) -> None:
        self.offers: list[str] = []
        self.dialects: list[Dialect] = []
        self.lines: list[MemoryLine] = []

    async def answer(self, offer: str, dialect: Dialect) -> tuple[Line, str]:
        if "garbage" in offer:
            raise ProtocolError("invalid_offer", "The SDP offer cannot be answered: garbage.", param="sdp")
        self.offers.append(offer)
        self.dialects.append(dialect)
        self.lines.append(MemoryLine())
        return self.lines[-1], ANSWER
