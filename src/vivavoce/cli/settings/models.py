"""Which models answer where this process does: one choice for each sense."""

from dataclasses import dataclass, field
from typing import Literal

from vivavoce.cli import values
from vivavoce.cli.settings.spec import setting
from vivavoce.models.catalog import Chosen, Sense, names

__all__ = ["OPENAI_KEY", "SENSES", "Models"]

_GROUP = "Models of this process"

SENSES = ("stt", "llm", "tts")
"""That can be chosen."""
OPENAI_KEY = "OPENAI_API_KEY"
"""Holds the key where OpenAI itself is asked and nothing else was said; no other server is ever shown it."""


def _one_of(sense: Sense, what: str) -> str:
    return f"{what}: {', '.join(names(sense))}."


@dataclass(frozen=True, kw_only=True)
class Models:
    preset: Literal["default", "local"] = setting(
        "default", values.choice("default", "local"), _GROUP,
        "What senses get that have no model chosen below. default: what needs no download. local: the best that is "
        "installed and has its files here; see vivavoce models.",
    )  # fmt: skip
    stt: str | None = setting(None, values.text, _GROUP, _one_of("stt", "Recognition"), metavar="NAME")
    stt_model: str | None = setting(None, values.text, _GROUP, "Which of its models.", metavar="NAME")
    stt_url: str | None = setting(None, values.http_url, _GROUP, "Where its server is.", metavar="URL")
    stt_key_env: str | None = setting(
        None, values.text, _GROUP, "Variable that holds that server's key, if it wants one.", metavar="NAME"
    )
    llm: str | None = setting(None, values.text, _GROUP, _one_of("llm", "Mind"), metavar="NAME")
    llm_model: str | None = setting(None, values.text, _GROUP, "Which of its models.", metavar="NAME")
    llm_url: str | None = setting(None, values.http_url, _GROUP, "Where its server is.", metavar="URL")
    llm_key_env: str | None = setting(
        None, values.text, _GROUP, "Variable that holds that server's key, if it wants one.", metavar="NAME"
    )
    tts: str | None = setting(None, values.text, _GROUP, _one_of("tts", "Voice synthesis"), metavar="NAME")
    tts_model: str | None = setting(None, values.text, _GROUP, "Which of its models.", metavar="NAME")
    tts_url: str | None = setting(None, values.http_url, _GROUP, "Where its server is.", metavar="URL")
    tts_key_env: str | None = setting(
        None, values.text, _GROUP, "Variable that holds that server's key, if it wants one.", metavar="NAME"
    )
    end_of_turn: Literal["auto", "words", "smart-turn"] = setting(
        "auto", values.choice("auto", "words", "smart-turn"), _GROUP,
        "What semantic turn detection goes by. words: words and pauses. smart-turn: a model that hears intonation, "
        "too. auto: that one where it is installed.",
    )  # fmt: skip
    speculation: bool = setting(
        True, values.switch, _GROUP,
        "Begin on the answer in a pause that may be the end of a turn: sooner there, and sometimes made for nothing.",
    )  # fmt: skip
    speech_language: str | None = setting(
        None, values.language, _GROUP,
        "Language that is heard and spoken where a session names none, such as de. By default English, or what a "
        "recogniser that knows several finds out.", metavar="CODE",
    )  # fmt: skip

    model_keys: dict[str, str] = field(default_factory=dict, repr=False)
    """What ``stt_key_env``, ``llm_key_env`` and ``tts_key_env`` hold, by sense."""

    @property
    def chosen(self) -> dict[str, Chosen]:
        """What was chosen, by sense."""
        return {sense: self._choice(sense) for sense in SENSES}

    def _choice(self, sense: str) -> Chosen:
        name, model, url, variable = (getattr(self, sense + what) or "" for what in ("", "_model", "_url", "_key_env"))
        return Chosen(name, model, url, self.model_keys.get(sense, ""), variable or OPENAI_KEY)
