"""When PocketSphinx begins to decode what is being said, when it does so anew, and which words stay: with a decoder
that decodes nothing."""

from typing import Any

import pytest

from vivavoce.models.stt.pocketsphinx_live import ANOTHER, FIRST, LONGEST, PIECE, SECOND, WINDOW, Live

BATCH = 16 * SECOND // 100


class FakeDecoder:
    """Its mean is ``mean``, and its words tell how many tenths of seconds it was given. ``log``: what it decoded."""

    def __init__(self) -> None:
        self.mean = 50.0
        self.given = 0.0
        self.log: list[tuple[str, int]] = []

    def start_utt(self) -> None:
        self.bytes = 0

    def process_raw(self, pcm: bytes, *, no_search: bool = False, full_utt: bool = False) -> None:
        self.bytes += len(pcm)
        if not no_search:
            self.log.append(("whole" if full_utt else "piece", len(pcm)))
        if full_utt:
            self.given = self.mean

    def end_utt(self) -> None:
        self.heard = self.bytes

    def n_frames(self) -> int:
        return self.bytes // 320

    def get_cmn(self, update: bool) -> str:
        weight = self.n_frames() / (WINDOW + self.n_frames()) if update else 0
        return f"{self.given + (self.mean - self.given) * weight},0"

    def hyp(self) -> Any:
        return type("Hypothesis", (), {"hypstr": f"{10 * self.heard // SECOND}"})()


@pytest.fixture
def decoder() -> FakeDecoder:
    return FakeDecoder()


def feed(live: Live, size: int) -> None:
    for at in range(0, size, BATCH):
        live.feed(bytes(min(BATCH, size - at)))


def decoded(decoder: FakeDecoder) -> int:
    return sum(size for kind, size in decoder.log if kind == "piece")


def test_the_tail_alone_is_left_for_the_end(decoder: FakeDecoder) -> None:
    live = Live(decoder)
    feed(live, FIRST - 1)
    assert decoder.log == []
    feed(live, 2 * SECOND)
    assert decoded(decoder) == FIRST - 1 + 2 * SECOND
    assert max(size for _, size in decoder.log) <= PIECE
    before = list(decoder.log)
    assert live.words() == "27"
    assert decoder.log == before


def test_little_sound_is_decoded_as_a_whole(decoder: FakeDecoder) -> None:
    live = Live(decoder)
    feed(live, FIRST // 2)
    assert live.words() == "4"
    assert decoder.log == [("whole", FIRST // 2)]


@pytest.mark.parametrize(("off", "again"), [(ANOTHER - 1, False), (ANOTHER + 1, True)])
def test_it_begins_anew_where_the_mean_is_another(decoder: FakeDecoder, off: float, again: bool) -> None:
    live = Live(decoder)
    feed(live, SECOND)
    decoder.mean += off
    feed(live, SECOND)
    assert (decoded(decoder) > 2 * SECOND) is again
    assert live.words() == "20"


def test_after_a_pause_it_is_decoded_with_what_follows_until_it_is_long(decoder: FakeDecoder) -> None:
    live = Live(decoder)
    feed(live, SECOND)
    assert live.words() == "10"
    feed(live, SECOND)
    assert (live.words(), live.settled) == ("20", "")
    feed(live, LONGEST)
    assert (live.words(), live.settled) == ("100", "")
    feed(live, SECOND)
    assert (live.words(), live.settled) == ("100 10", "100")
    live.begin()
    feed(live, SECOND)
    assert (live.words(), live.settled) == ("10", "")
