"""All settings together, with what only a table of the file or a variable can hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from vivavoce.access.agents import Agents
from vivavoce.access.prices import Price
from vivavoce.access.tool_table import ToolSpec, secrets_of
from vivavoce.cli.settings.address import Address
from vivavoce.cli.settings.answers import Answers
from vivavoce.cli.settings.calls import Calls
from vivavoce.cli.settings.entry import Entry
from vivavoce.cli.settings.models import Models
from vivavoce.cli.settings.page import Page
from vivavoce.cli.settings.running import Running
from vivavoce.cli.settings.spec import Spec, specs_of

__all__ = ["Settings", "specs"]


@dataclass(frozen=True, kw_only=True)
class Settings(Running, Calls, Page, Models, Answers, Entry, Address):  # the last one's fields come first
    agents: Agents = field(default_factory=Agents)
    """The tables ``[agents.NAME]`` of the file."""
    tools: tuple[ToolSpec, ...] = ()
    """Its list ``tools``: what this server runs in every session."""
    tools_dir: Path = field(default_factory=Path.cwd)
    """Where the file is: what its tools name is looked for there."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Its tables ``[prices."MODEL"]``."""
    turn_secret: str = field(default="", repr=False)
    """What VIVAVOCE_TURN_SECRET holds: the TURN servers' ``static-auth-secret``."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """What VIVAVOCE_API_KEYS holds, with commas or spaces between: keys for containers, beside those in the store."""
    jwt_secret: str = field(default="", repr=False)
    """What VIVAVOCE_JWT_SECRET holds: what an app signs its users' tokens with (HS256)."""
    secret: str = field(default="", repr=False)
    """What VIVAVOCE_SECRET holds: seals what is stored, in the place of the data directory's own secret."""
    upstream_key: str = field(default="", repr=False)
    """What ``upstream_key_env`` holds. Never in a file of settings, an option, a message or a log."""
    warnings: tuple[str, ...] = ()
    """What is set and has no effect, in words for the user."""

    @property
    def secrets(self) -> list[str]:
        """What no log may show."""
        held = (
            self.upstream_key,
            self.turn_secret,
            self.jwt_secret,
            self.secret,
            *self.api_keys,
            *self.model_keys.values(),
            *secrets_of(self.tools),
            *(secret for agent in self.agents for secret in secrets_of(agent.serves)),
        )
        passwords = (urlsplit(url or "").password for url in (self.database_url, self.limits_url))
        return [each for each in (*held, *passwords) if each]

    @property
    def answers(self) -> Literal["builtin", "upstream"]:
        """Who answers: what was asked for, else who is able to. A chosen model outweighs the mere presence of a key."""
        if self.backend != "auto":
            return self.backend
        chosen = self.stt or self.llm or self.tts or self.preset != "default"
        return "upstream" if self.upstream_key and not chosen else "builtin"


def specs() -> Iterator[tuple[str, Spec]]:
    """Every setting that has an option, by name."""
    return specs_of(Settings)
