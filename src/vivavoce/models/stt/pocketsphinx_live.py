"""One utterance that PocketSphinx decodes while it is spoken, as well as if it had been given the whole.

What the whole has and a stream has not is the mean of all its features, which is taken from each (cepstral mean
normalisation): it tells a voice in its room from what is said, and the one that the model comes with makes three times
the mistakes. So decoding begins when there is enough sound for a fair mean, and begins anew where the mean has turned
out to be another. That takes a tenth of the time of the sound, and while one speaks nobody waits for it.
"""

from math import dist

from pocketsphinx import Decoder

__all__ = ["Live"]

SECOND = 32_000
"""Bytes."""
FIRST = SECOND * 4 // 5
"""Decoding begins with so much sound."""
GROWN = 1.5
"""The mean is looked at whenever there is so much more sound than at the last look."""
ANOTHER = 4.0
"""How far a mean may be off: less is not heard in the words."""
LONGEST = 8 * SECOND
"""In a pause after so much sound its words are settled, and what follows is decoded by itself."""
PIECE = SECOND // 10
"""Of a stream; with more than two seconds at once the library writes beyond its buffer."""
WINDOW = 500
"""Frames of ten milliseconds that PocketSphinx takes a given mean for."""


class Live:
    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.settled = ""
        """Words that stay as they are, whatever follows."""
        self._words = ""
        """In a pause, those after them."""
        self._sound = bytearray()
        """What they are decoded from."""
        self._mean: list[float] = []
        """That of the features, while they are decoded."""
        self._look = 0

    def begin(self) -> None:
        """A new utterance."""
        self._stop()
        self.settled = self._words = ""
        self._sound.clear()

    def whole(self, pcm: bytes) -> str:
        """The words of a whole one."""
        self._stop()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        return self._hypothesis()

    def feed(self, pcm: bytes) -> None:
        words, self._words = self._words, ""
        if words and len(self._sound) >= LONGEST:
            self.settled = joined(self.settled, words)
            self._sound.clear()
        self._sound += pcm
        if len(self._sound) < FIRST:
            return
        if self._mean:
            self._decode(pcm)
            if len(self._sound) < self._look:
                return
        if not self._mean or self._moved():
            self._start()
        self._look = int(GROWN * len(self._sound))

    def words(self) -> str:
        """Of all that was fed."""
        if self._mean:
            self._stop()
            self._words = self._hypothesis()
        else:
            self._words = self.whole(bytes(self._sound))
        return joined(self.settled, self._words)

    def _start(self) -> None:
        """Decode what there is, with its own mean."""
        self._stop()
        sound = bytes(self._sound)
        self._decoder.start_utt()
        self._decoder.process_raw(sound, no_search=True, full_utt=True)
        self._decoder.end_utt()
        self._mean = self._known()
        self._decoder.start_utt()
        self._decode(sound)

    def _decode(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), PIECE):
            self._decoder.process_raw(pcm[at : at + PIECE])

    def _moved(self) -> bool:
        frames = max(1, self._decoder.n_frames())
        blended = dist(self._mean, self._known(update=True))
        return bool(blended * (WINDOW + frames) / frames > ANOTHER)

    def _known(self, *, update: bool = False) -> list[float]:
        return [float(each) for each in self._decoder.get_cmn(update).split(",")]

    def _stop(self) -> None:
        if self._mean:
            self._decoder.end_utt()
            self._mean = []

    def _hypothesis(self) -> str:
        found = self._decoder.hyp()
        return found.hypstr if found else ""


def joined(before: str, after: str) -> str:
    return f"{before} {after}".strip()
