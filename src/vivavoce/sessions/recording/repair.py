"""Puts a recording in order that was not finished, or that a browser made: its Opus packets as they are, in an Ogg file
that says where it ends. Nothing is encoded anew."""

import os
from collections.abc import Iterator
from pathlib import Path

import av
from av import Packet
from av.audio.stream import AudioStream
from av.container import InputContainer

from vivavoce.sessions.recording.recorded import Unreadable

__all__ = ["remux"]


def remux(source: Path, target: Path) -> int:
    """Milliseconds of sound. ``source`` is Ogg or WebM with Opus in it, and may end in the middle of anything;
    ``target`` appears when it is whole, and may be the source itself. Blocking. Raises :class:`Unreadable`."""
    draft = target.with_name(f".{target.name}")
    try:
        ms = _copy(source, draft)
    except (av.FFmpegError, IndexError) as error:
        draft.unlink(missing_ok=True)
        raise Unreadable(f"{source.name} holds no sound: {error}") from None
    os.replace(draft, target)
    return ms


def _copy(source: Path, draft: Path) -> int:
    end = 0.0
    with av.open(str(source), "r") as given, av.open(str(draft), "w", format="ogg") as made:
        stream = given.streams.audio[0]
        if stream.codec_context.name != "opus":
            raise av.error.InvalidDataError(0, f"it is {stream.codec_context.name}, not Opus")
        copied = made.add_stream_from_template(stream)
        for packet in _whole(given, stream):
            if packet.pts is not None and packet.time_base is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            packet.stream = copied
            made.mux(packet)
    return round(end * 1000)


def _whole(container: InputContainer, stream: AudioStream) -> "Iterator[Packet[AudioStream]]":
    """Packets until the file breaks off."""
    try:
        for packet in container.demux(stream):
            if packet.dts is not None:
                yield packet
    except av.FFmpegError:
        return
