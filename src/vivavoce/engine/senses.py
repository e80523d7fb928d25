"""The senses that an engine is given: one of each for the whole process, shared by all sessions."""

from typing import Protocol

from vivavoce.models.interfaces import Llm, Stt, Tts, TurnModel, Vad

__all__ = ["Senses"]


class Senses(Protocol):
    @property
    def vad(self) -> Vad: ...

    @property
    def turn(self) -> TurnModel | None: ...

    @property
    def stt(self) -> Stt: ...

    @property
    def llm(self) -> Llm: ...

    @property
    def tts(self) -> Tts: ...
