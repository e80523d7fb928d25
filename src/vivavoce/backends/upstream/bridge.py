"""A call that we carry and the upstream answers over a WebSocket: between the two, what a media track needs.

The upstream believes that its client plays by itself. So it is done here what the built-in engine does for a call: the
track is silenced before anybody is told of an interruption, ``output_audio_buffer.*`` says what sounds (W-07), and
the upstream is told what was heard (O-39), since it has been making faster than anybody listens.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from vivavoce.backends.upstream.line import UpstreamLine
from vivavoce.engine.outgoing import Outgoing
from vivavoce.protocol.frame import AUDIO_DELTA, FLUSH, PLAYED, Closed, Frame
from vivavoce.protocol.session.commands import FlushPlayback, Trim, to_ms
from vivavoce.protocol.session.items import Content
from vivavoce.protocol.session.outbox import Ids, Outbox
from vivavoce.protocol.session.playback import Playback

__all__ = ["Bridge", "without_formats"]

log = logging.getLogger(__name__)


class _Making:
    """A response of the upstream's that is not done yet."""

    def __init__(self, *, out_of_band: bool) -> None:
        self.out_of_band = out_of_band
        self.contents: dict[str, Content] = {}
        """The sound of each item so far."""
        self.hushed = False
        """What more comes of its sound is not to be heard."""


class Bridge:
    """A :class:`Line`, made by :meth:`open`: audio both ways is 24 kHz PCM, FLUSH and PLAYED frames flow."""

    def __init__(self, upstream: UpstreamLine, ids: Ids) -> None:
        self._upstream = upstream
        self._outgoing = Outgoing()
        self._out = Outbox(ids)
        self._making: dict[str, _Making] = {}
        self._out_of_band: set[str] = set()
        """Items out of band that may still sound."""
        self._playback = Playback(self._out, (), self._making.__contains__)  # the upstream tells of cuts itself
        self._interrupts = True
        self._owed: list[Frame] = []
        """What the upstream is to be told of."""
        self._task: asyncio.Task[None]
        self._told: dict[str, Callable[[Frame], None]] = {
            "session.created": self._configured,
            "session.updated": self._configured,
            "input_audio_buffer.speech_started": self._speech_started,
            "response.created": self._begun,
            AUDIO_DELTA: self._sound,
            "response.done": self._done,
        }

    @classmethod
    def open(cls, upstream: UpstreamLine, ids: Ids) -> "Bridge":
        self = cls(upstream, ids)
        self._task = asyncio.create_task(self._pump(), name="bridge")
        return self

    async def receive(self) -> Frame:
        return await self._outgoing.take()

    async def send(self, frame: Frame) -> None:
        if frame.type == PLAYED:
            data = frame.data
            self._playback.played(data["item_id"], data["audio_ms"], drained=data["drained"])
            self._settle()
        elif frame.type == "output_audio_buffer.clear":  # the upstream, on its WebSocket, would refuse it
            self._clear()
        else:
            await self._upstream.send(_without_formats(frame))
            return
        await self._tell_upstream()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._outgoing.close(Closed(code, reason))
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._upstream.close(code, reason)

    async def _pump(self) -> None:
        try:
            while True:
                await self._outgoing.room()
                frame = await self._upstream.receive()
                self._told.get(frame.type, self._outgoing.put)(frame)
                await self._tell_upstream()
        except Closed as closed:
            self._outgoing.close(closed)
        except Exception:
            log.exception("a call was ended by a fault of ours")
            self._outgoing.close(Closed(1011, "The server made a mistake; this call is lost."))

    # What the upstream tells ------------------------------------------------------------------------

    def _configured(self, frame: Frame) -> None:
        detection = _at(frame.data, "session", "audio", "input", "turn_detection")
        self._interrupts = detection.get("interrupt_response", True) is not False
        self._outgoing.put(frame)

    def _speech_started(self, frame: Frame) -> None:
        """Silence first, then the word of it. The upstream ends what it is making in the conversation by itself; what
        is out of band goes on, unless it is what was spoken over (O-33)."""
        if self._interrupts:
            self._hush(lambda making: making.out_of_band)
        self._outgoing.put(frame)
        if self._interrupts:
            self._playback.cleared()
            self._settle()

    def _begun(self, frame: Frame) -> None:
        response = _at(frame.data, "response")
        self._making[str(response.get("id"))] = _Making(out_of_band=response.get("conversation_id", "") is None)
        self._outgoing.put(frame)

    def _sound(self, frame: Frame) -> None:
        response_id, item_id = frame.data.get("response_id"), frame.data.get("item_id")
        making = self._making.get(str(response_id))
        if making is None or making.hushed or not isinstance(item_id, str):
            return
        content = making.contents.setdefault(item_id, Content("output_audio"))
        if making.out_of_band:
            self._out_of_band.add(item_id)
        self._outgoing.put(frame)
        content.samples += len(frame.audio or b"") // 2
        self._playback.queued(str(response_id), item_id, content)
        self._settle()

    def _done(self, frame: Frame) -> None:
        self._making.pop(str(_at(frame.data, "response").get("id")), None)
        self._outgoing.put(frame)
        self._playback.settle()
        self._settle()

    # Silence ----------------------------------------------------------------------------------------

    def _clear(self) -> None:
        """``output_audio_buffer.clear`` (O-40): silence, and nothing more is made of what sounds."""
        self._hush(lambda making: True)
        self._playback.cleared()
        self._settle()

    def _hush(self, ends: Callable[[_Making], bool]) -> None:
        """Drop what waits to be heard; ``ends`` says which responses the upstream has to be told to end."""
        self._playback.flush()
        for response_id in self._playback.heard_from():
            if (making := self._making.get(response_id)) is not None:
                making.hushed = True
                if ends(making):
                    self._owed.append(_event("response.cancel", response_id=response_id))
        self._settle()

    def _settle(self) -> None:
        """What :class:`Playback` has to say goes out, to either side."""
        for output in self._out.drain():
            if isinstance(output, Frame):
                self._outgoing.put(output)
            elif isinstance(output, FlushPlayback):
                self._outgoing.put(_event(FLUSH, item_id=output.item_id))
            elif isinstance(output, Trim) and output.item_id not in self._out_of_band:
                heard = to_ms(output.samples)
                cut = _event("conversation.item.truncate", item_id=output.item_id, content_index=0, audio_end_ms=heard)
                self._owed.append(cut)
        if not self._playback.sounding:
            self._out_of_band.clear()

    async def _tell_upstream(self) -> None:
        while self._owed:
            await self._upstream.send_ours(self._owed.pop(0))


def without_formats(session: Mapping[str, Any]) -> dict[str, Any]:
    """A session patch without audio formats: on a media track they mean nothing (S-12), while between us and the
    upstream they would."""
    audio = session.get("audio")
    if not isinstance(audio, Mapping):
        return dict(session)
    sides = {name: _without(side, "format") if isinstance(side, Mapping) else side for name, side in audio.items()}
    return {**session, "audio": sides}


def _without_formats(frame: Frame) -> Frame:
    holder = {"session.update": "session", "response.create": "response"}.get(frame.type)
    held = frame.data.get(holder) if holder else None
    if not isinstance(held, Mapping):
        return frame
    return Frame(frame.type, {**frame.data, str(holder): without_formats(held)}, frame.audio, frame.origin)


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _event(type: str, **fields: Any) -> Frame:
    return Frame(type, {"type": type, **fields})


def _at(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object there; empty where there is none."""
    for key in path:
        found = data.get(key)
        data = found if isinstance(found, Mapping) else {}
    return data
