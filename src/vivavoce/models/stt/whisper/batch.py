"""What Whisper hears in several windows of sound that are decoded together.

``faster_whisper.transcribe`` decodes one recording from end to end. Here its parts are used: windows of different
sessions share a batch, words that are certain are given to the model, and a decode has bounds: as many tokens as
anybody speaks in that time, and one attempt more where it went round in circles.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vivavoce.models.interfaces import Logprob, ModelError
from vivavoce.models.stt.whisper.spans import RATE

__all__ = ["LONGEST", "Batch", "Heard", "Unwanted", "Window", "Word"]

LONGEST = 30 * 2 * RATE
"""Bytes that the model looks at; shorter sound is padded to that, and takes as long."""
TOKENS, TOKENS_A_SECOND, MOST_TOKENS = 16, 20, 222
"""How much may be said in a window. English takes five tokens a second, some scripts up to twenty."""
ROUND_IN_CIRCLES = 2.4
"""How many times shorter than itself a text may become by compression: OpenAI's threshold."""
REPEATED = 3
"""Tokens that may not come twice in the second attempt."""
NOBODY_SPEAKS, UNLIKELY = 0.6, -1.0
"""What Whisper takes for no speech and is not sure of (mean log probability) was not said: OpenAI's rule."""
WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


@dataclass(frozen=True, slots=True)
class Window:
    pcm: bytes
    """:data:`LONGEST` at most."""
    language: str | None = None
    """As clients write it, such as ``en-GB``; None: it is found out."""
    prompt: str = ""
    said: str = ""
    """The words that it is known to begin with."""
    timed: bool = False
    """Whether it matters when the words were said."""


class Word(NamedTuple):
    text: str
    """With the space before it and the marks behind it."""
    tokens: int
    end: float = 0.0
    """In seconds from the start of the window, where that was asked for."""


@dataclass(frozen=True, slots=True)
class Heard:
    words: tuple[str, ...] = ()
    """Behind :attr:`Window.said`, each with the space before it and the marks behind it."""
    logprobs: tuple[Logprob, ...] = ()
    """Of all tokens of the window."""
    language: str = ""
    timed: tuple[Word, ...] = ()
    """All words of the window; empty unless that was asked for."""


class Unwanted(Exception):
    """Nobody waits for the batch any more."""


@dataclass(frozen=True, slots=True)
class _Text:
    tokens: list[int]
    begun: int
    """How many of them were given."""
    likelihood: float
    """The mean log probability of a token."""
    nobody_speaks: float
    logits: Sequence[Any]
    """Of each token, and of the end behind them."""


class Batch:
    """``windows`` have the same ``prompt``, and all or none of them have ``said``. ``wanted`` is asked before each
    step, of which the longest is to encode the sound of one window."""

    def __init__(self, whisper: Any, windows: Sequence[Window], wanted: Callable[[], bool]) -> None:
        from faster_whisper.transcribe import get_suppressed_tokens

        self._whisper, self._windows, self._wanted = whisper, windows, wanted
        self._model = whisper.model
        self._suppressed = list(get_suppressed_tokens(self._tokenizer("en"), [-1]))

    def decode(self) -> list[Heard | ModelError]:
        """What is heard in each. Raises :class:`Unwanted`, and what CTranslate2 raises."""
        foreign = {at: error for at, window in enumerate(self._windows) if (error := self._foreign(window))}
        self._windows = [window for at, window in enumerate(self._windows) if at not in foreign]
        heard = iter(self._decode() if self._windows else ())
        return [foreign.get(at) or next(heard) for at in range(len(self._windows) + len(foreign))]

    def _foreign(self, window: Window) -> ModelError | None:
        if window.language is None or _plain(window.language) in self._whisper.supported_languages:
            return None
        return ModelError(f"Whisper does not understand {window.language!r}: choose another language or --stt-model.")

    def _decode(self) -> list[Heard]:
        encoded = self._encoded()
        self._check()
        tokenizers = [self._tokenizer(language) for language in self._languages(encoded)]
        texts = self._generated(encoded, tokenizers, range(len(self._windows)))
        if again := [at for at, text in enumerate(texts) if _in_circles(tokenizers[at].decode(text.tokens))]:
            self._check()
            better = self._generated(_rows(encoded, again), tokenizers, again, no_repeat_ngram_size=REPEATED)
            for at, text in zip(again, better, strict=True):
                texts[at] = text
        return [self._heard(at, tokenizers[at], text, encoded) for at, text in enumerate(texts)]

    def _encoded(self) -> Any:
        """One by one: on a CPU it takes longer together."""
        from ctranslate2 import StorageView
        from faster_whisper.audio import pad_or_trim

        rows = []
        for window in self._windows:
            self._check()
            samples = np.frombuffer(window.pcm, "<i2").astype(np.float32) / 32768
            rows.append(
                np.asarray(self._whisper.encode(pad_or_trim(self._whisper.feature_extractor(samples)[..., :-1])))
            )
        return StorageView.from_array(np.concatenate(rows))

    def _languages(self, encoded: Any) -> list[str]:
        """Of each window: the one that was named, else the likeliest."""
        named = [_plain(window.language) if window.language else None for window in self._windows]
        if None not in named or not self._model.is_multilingual:
            return [language or "en" for language in named]
        likeliest = [found[0][0].strip("<|>") for found in self._model.detect_language(encoded)]
        return [language or found for language, found in zip(named, likeliest, strict=True)]

    def _generated(self, encoded: Any, tokenizers: Sequence[Any], which: Sequence[int], **how: Any) -> list[_Text]:
        windows = [self._windows[at] for at in which]
        begun = [tokenizers[at].encode(self._windows[at].said) for at in which]
        prompts = [self._prompt(self._windows[at], tokenizers[at]) for at in which]
        most = max(map(_most_tokens, windows))
        results = self._model.generate(
            encoded,
            [[*prompt, *said] for prompt, said in zip(prompts, begun, strict=True)],
            beam_size=1,
            # The library halves this, so that a prompt has room, or takes the prompt's length off it.
            max_length=min(448, max(2 * most, most + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
            return_logits_vocab=True,
            suppress_tokens=self._suppressed,
            suppress_blank=not windows[0].said,  # who has said something may have finished
            **how,
        )
        return [_text(result, said) for result, said in zip(results, begun, strict=True)]

    def _prompt(self, window: Window, tokenizer: Any) -> list[int]:
        before = tokenizer.encode(f" {window.prompt.strip()}") if window.prompt.strip() else []
        prompt: list[int] = self._whisper.get_prompt(tokenizer, before, without_timestamps=True)
        return prompt

    def _heard(self, at: int, tokenizer: Any, text: _Text, encoded: Any) -> Heard:
        window, language = self._windows[at], tokenizer.language_code
        if not text.begun and text.nobody_speaks > NOBODY_SPEAKS and text.likelihood <= UNLIKELY:
            return Heard(language=language)
        spaced = language not in WITHOUT_SPACES
        pieces = zip(*tokenizer.split_to_word_tokens(text.tokens[text.begun :]), strict=True)
        words = _joined((Word(piece, len(tokens)) for piece, tokens in pieces), spaced)
        sure = zip(text.tokens, text.logits, strict=False)
        logprobs = tuple(Logprob(tokenizer.decode([token]), _logprob(token, logits)) for token, logits in sure)
        timed = _joined(self._timed(at, tokenizer, text, encoded), spaced) if window.timed and text.tokens else []
        return Heard(tuple(word.text for word in words), logprobs, language, tuple(timed))

    def _timed(self, at: int, tokenizer: Any, text: _Text, encoded: Any) -> Iterable[Word]:
        self._check()
        frames = len(self._windows[at].pcm) // 2 * 100 // RATE
        (found,) = self._whisper.find_alignment(tokenizer, [text.tokens], _rows(encoded, [at]), frames)
        return (Word(each["word"], len(each["tokens"]), float(each["end"])) for each in found)

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._whisper.hf_tokenizer, self._model.is_multilingual, "transcribe", language)

    def _check(self) -> None:
        if not self._wanted():
            raise Unwanted


def _plain(language: str) -> str:
    """``en`` of ``en-GB``."""
    return language.lower().partition("-")[0]


def _most_tokens(window: Window) -> int:
    return min(MOST_TOKENS, TOKENS + TOKENS_A_SECOND * len(window.pcm) // (2 * RATE))


def _rows(encoded: Any, which: Sequence[int]) -> Any:
    from ctranslate2 import StorageView

    return StorageView.from_array(np.ascontiguousarray(np.asarray(encoded)[list(which)]))


def _text(result: Any, begun: Sequence[int]) -> _Text:
    tokens = result.sequences_ids[0]
    # The library tells the mean over the tokens; the end, which it counts as likely too, is one more.
    likelihood = result.scores[0] * len(tokens) / (len(tokens) + 1) if tokens else 0.0
    return _Text(tokens, len(begun), likelihood, result.no_speech_prob, result.logits[0])


def _in_circles(text: str) -> bool:
    from faster_whisper.transcribe import get_compression_ratio

    return bool(get_compression_ratio(text) > ROUND_IN_CIRCLES)


def _logprob(token: int, logits: Any) -> float:
    row = np.asarray(logits, np.float32)
    highest = float(row.max())
    return float(row[token]) - highest - float(np.log(np.exp(row - highest).sum()))


def _joined(pieces: Iterable[Word], spaced: bool) -> list[Word]:
    """Whole words. ``spaced``: in a language in which each begins with a space."""
    words: list[Word] = []
    for piece in pieces:
        if words and spaced and not piece.text.startswith(" "):
            before = words.pop()
            piece = Word(before.text + piece.text, before.tokens + piece.tokens, piece.end)
        words.append(piece)
    return words
