"""An :class:`Observer` that tells a client which plays answers by itself when to stand still (a notice ``hold``), and
when to go on: as long as nobody knows whether a voice over the answer is a cough or an interruption."""

from vivavoce.protocol.frame import HOLD, Frame
from vivavoce.sessions.filters import Observer
from vivavoce.sessions.notices import Notices

__all__ = ["Held"]


class Held(Observer):
    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def sees(self, type: str) -> bool:
        return type == HOLD

    def told(self, frame: Frame) -> None:
        self._notices.tell("hold", on=frame.data["on"])
