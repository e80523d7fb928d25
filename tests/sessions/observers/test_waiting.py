"""What waits to be written has a bound, and forgets nothing that is put back."""

from decimal import Decimal

from tests.store.test_sessions import message
from vivavoce.sessions.observers.waiting import BATCH, CHARACTERS, ITEMS, Waiting
from vivavoce.store.responses import Response

PAID = Response(id="resp_1", model="m", ended_at=1.0, usd=Decimal(1))


def test_what_an_item_has_become_takes_the_place_of_what_it_was():
    waiting = Waiting()
    for words in ("o", "one"):
        assert waiting.add(message("a", words))
    assert [item.words for item in waiting.take().items] == ["one"]
    assert not waiting


def test_so_many_items_and_no_more():
    waiting = Waiting()
    assert [waiting.add(message(str(number), "")) for number in range(ITEMS + 1)] == [True] * ITEMS + [False]
    assert waiting.add(message("0", "changed"))
    taken = waiting.take()
    assert (len(taken.items), taken.items[0].words, waiting.items) == (BATCH, "changed", ITEMS - BATCH)
    assert waiting.add(message("one more", ""))


def test_so_many_characters_and_no_more():
    """An item's words are in it twice: as they are searched, and as the protocol has them."""
    waiting, half = Waiting(), "x" * (CHARACTERS // 4)
    assert [waiting.add(message(id, half)) for id in "ab"] == [True, False]
    assert waiting.add(message("a", "x"))
    assert waiting.add(message("b", half))
    waiting.put_back(waiting.take())
    assert not waiting.add(message("c", half))
    assert waiting.take().items[1].words == half
    assert waiting.add(message("c", half))


def test_what_is_put_back_gives_way_to_what_is_newer():
    waiting = Waiting()
    waiting.add(message("a", "old"))
    waiting.add(message("b", "b"))
    waiting.pay(PAID)
    waiting.change |= {"preview": "old", "voice": "marin"}
    taken = waiting.take()
    waiting.add(message("a", "new"))
    waiting.change["preview"] = "new"
    waiting.put_back(taken)
    items, responses, change = waiting.take()
    assert {item.id: item.words for item in items} == {"a": "new", "b": "b"}
    assert responses == [PAID]
    assert change == {"preview": "new", "voice": "marin"}
