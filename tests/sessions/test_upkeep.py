"""What a session may not outlast: its time, its account, a long silence."""

import asyncio
from decimal import Decimal

import pytest

from tests.support.leaks import no_leaks
from tests.support.virtual_time import virtual_time
from vivavoce.access.limits import Left
from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.sessions.filters import Stopped
from vivavoce.sessions.live import Live
from vivavoce.sessions.upkeep import CHARGE_SECONDS, Account, Lasting, Over, Upkeep

FREE = Left(float("inf"), float("inf"))


class Bank:
    """An account with what is left of it."""

    def __init__(self, seconds: float = float("inf"), dollars: float = float("inf")) -> None:
        self.seconds, self.micros = seconds, dollars * 1e6
        self.charged: list[tuple[int, int]] = []
        self.failing: Exception | None = None
        self.takes = 0.0
        """Seconds to write it down."""

    async def __call__(self, seconds: int, micros: int) -> Left:
        if self.failing and not isinstance(self.failing, Over):
            raise self.failing
        await asyncio.sleep(self.takes)
        self.charged.append((seconds, micros))
        self.seconds -= seconds
        self.micros -= micros
        if self.failing:
            raise self.failing
        return self.left

    @property
    def left(self) -> Left:
        return Left(self.seconds, self.micros / 1e6)


class Session:
    def __init__(self, bank: Bank | None = None, **lasting: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.bank = bank or Bank()
        self.live = Live("sess_1", "websocket", "", 0.0)
        self.account = Account(self.bank, self.bank.left)
        self.upkeep = Upkeep(self.live, self.account, Lasting(**lasting), self.loop.time)

    async def lasts(self) -> tuple[float, str]:
        """How many seconds, and by which code it ended."""
        await self.upkeep.run()
        ended = self.live.ending.result()
        assert isinstance(ended, Stopped)
        return self.loop.time(), ended.error.code or ""


@virtual_time
async def test_the_longest_time():
    assert await Session(seconds=3600).lasts() == (3600, "session_expired")


@virtual_time
async def test_a_long_silence():
    assert await Session(seconds=3600, silence=300).lasts() == (300, "session_idle")


@virtual_time
async def test_an_open_microphone_is_silence_and_a_word_is_not():
    session = Session(silence=300)
    lasting = asyncio.create_task(session.lasts())
    await asyncio.sleep(200)
    session.upkeep.sent(Frame(APPEND, audio=b"\0\0"))
    await asyncio.sleep(50)
    session.upkeep.told(Frame("input_audio_buffer.speech_started"))
    await asyncio.sleep(100)
    session.upkeep.sent(Frame("conversation.item.create"))
    assert await lasting == (650, "session_idle")


@virtual_time
async def test_talking_time_is_charged_as_it_passes_and_ends_the_session():
    bank = Bank(seconds=25)
    assert await Session(bank).lasts() == (25, "budget_exceeded")
    assert bank.charged == [(10, 0), (10, 0), (5, 0)]


@virtual_time
async def test_two_sessions_of_one_account_share_it():
    bank = Bank(seconds=100)
    one, two = Session(bank), Session(bank)
    ends = await asyncio.gather(one.lasts(), two.lasts())
    assert {code for _, code in ends} == {"budget_exceeded"}
    assert all(50 <= seconds <= 50 + CHARGE_SECONDS for seconds, _ in ends)


@virtual_time
async def test_money_is_refused_at_once_and_charged_later():
    session = Session(Bank(dollars=1))
    assert session.account.debit(Decimal("0.4"))
    assert not session.account.debit(Decimal("0.7"))
    assert await session.lasts() == (CHARGE_SECONDS, "budget_exceeded")
    assert session.bank.charged == [(10, 1_100_000)]


@virtual_time
async def test_small_amounts_are_not_lost():
    session = Session(Bank(dollars=1))
    for _ in range(30):
        session.account.debit(Decimal("0.0000001"))
    await session.upkeep.settle()
    assert session.bank.charged == [(0, 3)]
    await asyncio.sleep(0.6)
    await session.upkeep.settle()
    await asyncio.sleep(0.6)
    await session.upkeep.settle()
    assert session.bank.charged == [(0, 3), (0, 0), (1, 0)]


@virtual_time
async def test_whose_account_is_closed_is_ended():
    session = Session()
    session.bank.failing = Over("The key has been revoked.")
    assert await session.lasts() == (CHARGE_SECONDS, "budget_exceeded")
    ended = session.live.ending.result()
    assert isinstance(ended, Stopped)
    assert ended.error.message == "The key has been revoked."
    with pytest.raises(Over):
        await session.upkeep.settle()
    assert session.bank.charged == [(10, 0), (0, 0)]


@virtual_time
async def test_an_account_that_cannot_be_reached_is_charged_later(caplog: pytest.LogCaptureFixture):
    session = Session(seconds=35)
    lasting = asyncio.create_task(session.lasts())
    session.bank.failing = OSError("gone")
    await asyncio.sleep(CHARGE_SECONDS + 1)
    session.bank.failing = None
    assert (await lasting)[1] == "session_expired"
    assert session.bank.charged[0] == (20, 0)
    assert "could not be charged" in caplog.text


@virtual_time
async def test_what_was_used_last_is_charged_when_it_is_settled():
    session = Session()
    running = asyncio.create_task(session.upkeep.run())
    await asyncio.sleep(13.9)
    running.cancel()
    await asyncio.wait([running])
    await session.upkeep.settle()
    assert session.bank.charged == [(10, 0), (3, 0)]
    assert not session.live.ending.done()


@virtual_time
async def test_what_is_being_charged_as_the_session_ends_is_charged_once():
    session = Session()
    session.bank.takes = 2
    async with no_leaks():
        running = asyncio.create_task(session.upkeep.run())
        await asyncio.sleep(CHARGE_SECONDS + 1)
        running.cancel()
        await asyncio.wait([running])
        await session.upkeep.settle()
    assert session.bank.charged == [(10, 0), (1, 0)]
