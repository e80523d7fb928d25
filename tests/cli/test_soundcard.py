"""A conversation over a sound card, with a stand-in for ``sounddevice`` that the test plays."""

import asyncio
import base64
import sys
from types import ModuleType
from typing import Any

import pytest

from tests.support.scripted_realtime import Stage, scripted
from vivavoce.cli.soundcard import MAX_HEARD, NoSoundCard, Player, SoundCard, converse
from vivavoce.client.realtime import connect
from vivavoce.protocol.frame import Closed


class FakeDevices(ModuleType):
    """The few names of ``sounddevice`` that are used."""

    class PortAudioError(Exception):
        pass

    def __init__(self, fault: str = "") -> None:
        super().__init__("sounddevice")
        self.fault = fault
        self.streams: dict[str, Any] = {}
        self.open = 0

    def _stream(self, kind: str, callback: Any, form: dict[str, Any]) -> Any:
        devices = self

        class Stream:
            def __enter__(self) -> None:
                if devices.fault:
                    raise devices.PortAudioError(devices.fault)
                assert form == {"samplerate": 24_000, "channels": 1, "dtype": "int16", "blocksize": 480}
                devices.streams[kind] = callback
                devices.open += 1

            def __exit__(self, *_: object) -> None:
                devices.open -= 1

        return Stream()

    def RawInputStream(self, *, callback: Any, **form: Any) -> Any:
        return self._stream("microphone", callback, form)

    def RawOutputStream(self, *, callback: Any, **form: Any) -> Any:
        return self._stream("speaker", callback, form)

    def hear(self, pcm: bytes) -> None:
        self.streams["microphone"](pcm, len(pcm) // 2, None, None)

    def speak(self, frames: int) -> bytes:
        data = bytearray(2 * frames)
        self.streams["speaker"](memoryview(data), frames, None, None)
        return bytes(data)


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> FakeDevices:
    fake = FakeDevices()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


async def test_a_conversation(devices: FakeDevices):
    """What is heard is sent; what comes is played and shown; what is spoken over is dropped and reported."""
    played, truncated = asyncio.Event(), []

    async def script(stage: Stage) -> None:
        assert base64.b64decode((await stage.expect("input_audio_buffer.append"))["audio"]) == b"\1\1" * 480
        delta = base64.b64encode(b"\2\2" * 4800).decode()
        await stage.send("response.output_audio.delta", item_id="item_1", delta=delta)
        await stage.send("response.output_audio_transcript.done", transcript="A long story.")
        await stage.send("vivavoce.turn", total=260, stages={"decided": 230, "first_token": 30})
        await played.wait()
        await stage.send("input_audio_buffer.speech_started", item_id="item_2")
        truncated.append(await stage.expect("conversation.item.truncate"))
        await stage.send("error", error={"message": "That is all."})
        await stage.close(1001, "going away")

    shown: list[str] = []

    def show(line: str) -> None:
        shown.append(line)
        if line.startswith("Answer"):
            assert devices.speak(2400) == b"\2\2" * 2400
            played.set()

    async with scripted(script) as url, connect(url) as session:
        with SoundCard.open() as card:
            devices.hear(b"\1\1" * 480)
            with pytest.raises(Closed, match="going away"):
                await converse(session, card, show)
            assert devices.speak(480) == bytes(960)
    told = "        260 ms after you stopped: decided +230, first token +30"
    assert shown == ["Answer: A long story.", told, "Error:  That is all."]
    assert (truncated[0]["item_id"], truncated[0]["audio_end_ms"]) == ("item_1", 100)
    assert devices.open == 0


async def test_a_slow_connection_loses_the_oldest_sound(devices: FakeDevices):
    with SoundCard.open() as card:
        for n in range(MAX_HEARD + 5):
            devices.hear(n.to_bytes(2, "little"))
        await asyncio.sleep(0)  # what the sound card's thread left for the loop
        assert int.from_bytes(await card.heard(), "little") == 5


def test_positions_are_counted_for_each_item():
    player = Player()
    player.add("one", bytes(4800))
    player.take(2400)
    player.add("two", bytes(9600))
    player.take(2400)  # the rest of the first
    player.take(4800)
    assert player.drop() == ("two", 100)
    assert player.drop() is None


async def test_without_the_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(NoSoundCard, match=r"pip install 'vivavoce\[talk\]'"), SoundCard.open():
        pass


async def test_without_a_sound_card(devices: FakeDevices):
    devices.fault = "Error querying device -1"
    with pytest.raises(NoSoundCard, match="cannot be opened: Error querying device -1"), SoundCard.open():
        pass
