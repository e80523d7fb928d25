"""What is ours and no event of the protocol reaches those who listen, and only them."""

from contextlib import ExitStack

import pytest

from vivavoce.sessions.notices import LISTENERS, WAITING, Notice, Notices, TooManyListeners


async def heard(notices: Notices) -> list[Notice]:
    with notices.listen() as told:
        notices.end()
        return [notice async for notice in told]


async def test_who_comes_late_is_told_the_latest_of_each_kind() -> None:
    notices = Notices()
    notices.tell("cost", usd="0.1")
    notices.tell("recording", on=True)
    notices.tell("cost", usd="0.2")

    assert sorted(await heard(notices)) == [("cost", {"usd": "0.2"}), ("recording", {"on": True})]


async def test_who_listens_is_told_in_order_until_it_is_over() -> None:
    notices = Notices()
    with notices.listen() as told:
        for usd in ("0.1", "0.2"):
            notices.tell("cost", usd=usd)
        notices.end()
        assert [notice.data["usd"] async for notice in told] == ["0.1", "0.2"]


async def test_after_the_end_there_is_nothing_to_wait_for() -> None:
    notices = Notices()
    notices.end()

    assert await heard(notices) == []


async def test_who_falls_behind_loses_the_oldest_and_still_ends() -> None:
    notices = Notices()
    with notices.listen() as told:
        for number in range(WAITING + 10):
            notices.tell("turn", number=number)
        notices.end()
        numbers = [notice.data["number"] async for notice in told]
    assert numbers == list(range(11, WAITING + 10))


async def test_listeners_are_counted_and_their_places_freed() -> None:
    notices = Notices()
    for _ in range(LISTENERS + 1):
        with notices.listen():
            pass
    with ExitStack() as stack:
        for _ in range(LISTENERS):
            stack.enter_context(notices.listen())
        with pytest.raises(TooManyListeners), notices.listen():
            pass
