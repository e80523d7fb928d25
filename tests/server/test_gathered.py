"""Many writes, one system call; nothing is held back beyond the round, and nothing lost at the end."""

import asyncio

from vivavoce.server.gathered import GATHERED, Gathered


class Transport:
    def __init__(self) -> None:
        self.did: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.did.append(data)

    def close(self) -> None:
        self.did.append("close")

    def is_closing(self) -> bool:
        return "close" in self.did


def gathered() -> tuple[Gathered, Transport]:
    transport = Transport()
    return Gathered(transport, asyncio.get_running_loop()), transport  # type: ignore[arg-type]


async def test_what_is_written_in_one_round_leaves_at_once() -> None:
    writer, transport = gathered()
    for data in (b"one", b"two", b"three"):
        writer.write(data)
    assert not transport.did
    await asyncio.sleep(0)
    assert transport.did == [b"onetwothree"]
    writer.write(b"four")
    await asyncio.sleep(0)
    assert transport.did == [b"onetwothree", b"four"]


async def test_a_lot_does_not_wait() -> None:
    writer, transport = gathered()
    writer.write(bytes(GATHERED))
    writer.write(b"1")
    assert [len(data) for data in transport.did] == [GATHERED + 1]
    await asyncio.sleep(0)
    assert len(transport.did) == 1


async def test_the_last_words_leave_before_the_end() -> None:
    writer, transport = gathered()
    writer.write(b"farewell")
    writer.close()
    assert transport.did == [b"farewell", "close"]
    assert writer.is_closing()
