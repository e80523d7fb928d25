from vivavoce.audio.opus import FRAME_BYTES
from vivavoce.transports.webrtc.playout import BYTES_PER_MS, Playout


def said(playout: Playout) -> list[tuple[str, int, bool]]:
    return [(frame.data["item_id"], frame.data["audio_ms"], frame.data["drained"]) for frame in playout.reports()]


def ms(count: int, value: int = 1) -> bytes:
    return bytes([value]) * (count * BYTES_PER_MS)


def test_frames_come_in_order_and_the_last_is_filled_with_silence():
    playout = Playout()
    playout.push("a", ms(30, 1))
    playout.push("b", ms(20, 2))
    playout.finish("a")
    assert playout.take() == ms(20, 1)
    assert playout.take() == ms(10, 1) + ms(10, 0)
    assert playout.take() == ms(20, 2)
    assert playout.take() is None


def test_reports_come_every_100_ms_and_at_the_end():
    playout = Playout()
    playout.push("a", ms(230))
    playout.finish("a")
    while playout.take():
        pass
    assert said(playout) == [("a", 100, False), ("a", 200, False), ("a", 230, True)]
    assert said(playout) == []


def test_an_item_that_ran_dry_is_late_until_it_is_finished():
    playout = Playout()
    playout.push("a", ms(20))
    playout.take()
    assert said(playout) == [("a", 20, False)]
    playout.push("a", ms(20))
    playout.take()
    playout.finish("a")
    assert said(playout) == [("a", 40, False), ("a", 40, True)]


def test_the_end_of_one_item_is_not_the_end_while_another_waits():
    playout = Playout()
    playout.push("a", ms(20))
    playout.push("b", ms(20))
    playout.finish("a")
    playout.take()
    assert said(playout) == [("a", 20, False)]
    playout.take()
    playout.finish("b")
    assert said(playout) == [("b", 20, False), ("b", 20, True)]


def test_a_flush_tells_what_was_heard_and_drops_the_rest():
    playout = Playout()
    playout.push("a", ms(500))
    playout.take()
    playout.flush("a")
    playout.finish("a")
    assert said(playout) == [("a", 20, True)]
    assert (playout.take(), playout.waiting) == (None, 0)


def test_a_flush_of_one_item_leaves_the_others():
    playout = Playout()
    playout.push("a", ms(500))
    playout.push("b", ms(20, 2))
    playout.flush("a")
    assert said(playout) == [("a", 0, False)]
    assert playout.take() == ms(20, 2)
    playout.push("c", ms(500))
    playout.flush(None)
    assert (playout.take(), playout.waiting) == (None, 0)


def test_nothing_is_kept_of_items_that_are_over():
    playout = Playout()
    for number in range(1000):
        playout.push(str(number), bytes(FRAME_BYTES))
        playout.take()
    assert len(playout._items) <= 2
    playout.finish("never heard of")
    playout.flush("neither")
