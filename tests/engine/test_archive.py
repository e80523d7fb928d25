"""How much of a conversation's sound is kept, where, and for how much memory."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.fake_models import tone
from vivavoce.audio import g711, ogg
from vivavoce.audio.pcm import level_dbfs
from vivavoce.audio.wav import read_wav
from vivavoce.engine import archive as archives
from vivavoce.engine.archive import DISK, MEMORY, PIECE, Archive
from vivavoce.protocol.wire.config import Pcm, Pcmu

SECOND = 48_000
"""Bytes of PCM."""
SPEECH = read_wav(Path(__file__).parent.parent / "speech" / "long_story.wav")[0]


@asynccontextmanager
async def archive(directory: Path | None = None, *, memory: int = MEMORY, disk: int = DISK) -> AsyncIterator[Archive]:
    async with asyncio.TaskGroup() as group:
        kept = Archive(group, directory, memory=memory, disk=disk)
        try:
            yield kept
            await packed(kept)
        finally:
            kept.close()


async def packed(kept: Archive) -> None:
    if kept._packing:
        await asyncio.wait([kept._packing])


async def fetched(kept: Archive, item_id: str) -> bytes | None:
    found: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
    kept.fetch(item_id, found.set_result)
    return await found


async def filled(kept: Archive, items: dict[str, bytes]) -> None:
    for item_id, pcm in items.items():
        await kept.room()
        kept.add(item_id, pcm, Pcm())


def pitch(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 24_000 / len(samples)


async def test_what_fits_in_memory_comes_back_as_it_was():
    async with archive() as kept:
        for at in range(0, SECOND, 960):
            kept.add("item", tone(1000)[at : at + 960], Pcm())
        assert await fetched(kept, "item") == tone(1000)
        assert await fetched(kept, "another") is None


async def test_what_is_older_comes_back_from_the_file(tmp_path: Path):
    async with archive(tmp_path / "scratch", memory=4 * PIECE) as kept:
        await filled(kept, {f"item{n}": tone(4000, hertz=300 + 20 * n) for n in range(20)})
        await packed(kept)
        assert kept._bytes <= 4 * PIECE
        for n in range(20):
            sound = await fetched(kept, f"item{n}")
            assert sound is not None
            assert len(sound) == 4 * SECOND
            assert pitch(sound) == pytest.approx(300 + 20 * n, abs=1)
            assert level_dbfs(sound) == pytest.approx(level_dbfs(tone(1000)), abs=1)
        assert not list((tmp_path / "scratch").iterdir())  # the file has no name
        assert stat.S_IMODE((tmp_path / "scratch").stat().st_mode) == 0o700


async def test_a_long_item_is_packed_while_it_grows_and_is_whole():
    async with archive(memory=2 * PIECE) as kept:
        long = tone(60_000)
        for at in range(0, len(long), 96_000):
            await kept.room()
            kept.add("item", long[at : at + 96_000], Pcm())
        sound = await fetched(kept, "item")
        assert sound is not None
        assert len(sound) == len(long)
        difference = np.frombuffer(sound, "<i2").astype(float) - np.frombuffer(long, "<i2")
        assert 20 * np.log10(8000 / np.std(difference)) > 15


async def test_telephone_sound_comes_back_in_its_own_format():
    async with archive(memory=PIECE) as kept:
        kept.add("item", g711.ulaw_encode(tone(100_000, 8_000)), Pcmu())
        kept.add("last", bytes(2 * PIECE), Pcm())
        await packed(kept)
        sound = await fetched(kept, "item")
        assert sound is not None
        assert len(sound) == 800_000
        assert level_dbfs(g711.ulaw_decode(sound)) == pytest.approx(level_dbfs(tone(1000)), abs=1)


async def test_cutting_and_forgetting_reach_into_the_file():
    async with archive(memory=PIECE) as kept:
        await filled(kept, {"first": tone(30_000), "second": tone(1_000), "last": bytes(2 * PIECE)})
        await packed(kept)
        kept.trim("first", 24_000 * 20)
        sound = await fetched(kept, "first")
        assert sound is not None
        assert len(sound) == 20 * SECOND
        kept.forget("second")
        assert await fetched(kept, "second") is None


async def test_the_oldest_is_written_over_when_the_file_is_full():
    async with archive(memory=PIECE, disk=100_000) as kept:
        await filled(kept, {f"item{n}": SPEECH * 2 for n in range(10)})
        await packed(kept)
        there = [await fetched(kept, f"item{n}") is not None for n in range(10)]
    assert there == sorted(there)  # none before some
    assert 0 < sum(there) < 9


async def test_without_a_disk_the_oldest_is_not_kept_and_memory_holds(tmp_path: Path):
    (tmp_path / "file").touch()
    async with archive(tmp_path / "file" / "scratch", memory=2 * PIECE) as kept:
        await filled(kept, {f"item{n}": tone(10_000) for n in range(10)})
        await packed(kept)
        assert kept._bytes <= 2 * PIECE
        assert await fetched(kept, "item0") is None
        assert await fetched(kept, "item9") == tone(10_000)


async def test_who_brings_too_much_and_who_asks_for_too_much_waits(monkeypatch: pytest.MonkeyPatch):
    async with archive(memory=2 * PIECE) as kept:
        for n in range(5):
            kept.add(f"item{n}", bytes(PIECE), Pcm())
        assert kept.full
        await kept.room()
        assert kept._bytes <= 4 * PIECE
        await packed(kept)
        asking = [asyncio.ensure_future(fetched(kept, "item0")) for _ in range(archives.FETCHES)]
        await asyncio.sleep(0)
        assert kept.full
        await kept.room()
        assert None not in await asyncio.gather(*asking)


async def test_an_hour_of_speech(capsys: pytest.CaptureFixture[str]):
    """Two minutes of it, with a thirtieth of the memory: what is held at most, and what an hour takes of the disk."""
    minutes, most = 2, 0
    async with archive(memory=PIECE) as kept:
        spoken = (SPEECH * 18)[: 60 * minutes * SECOND]
        for at in range(0, len(spoken), 4 * SECOND):
            await kept.room()
            kept.add(f"item{at}", spoken[at : at + 4 * SECOND], Pcm())
            most = max(most, kept._bytes)
            await asyncio.sleep(0)
    on_disk = sum(piece.length for piece in kept._packed)
    hour = on_disk / (len(spoken) - kept._bytes) * 3600 * SECOND
    assert most <= 2 * PIECE + 4 * SECOND
    assert kept._bytes <= PIECE
    assert hour < DISK / 2
    with capsys.disabled():
        print(f"\nan hour of speech: {3600 * SECOND / 1e6:.0f} MB of PCM, {hour / 1e6:.1f} MB of Opus on disk, "
              f"{2 * MEMORY / 1e6:.0f} MB in memory at most; bit rate {ogg.BIT_RATE // 1000} kbit/s")  # fmt: skip
