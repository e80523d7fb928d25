"""Who answers: models of this process, or an upstream."""

from dataclasses import dataclass
from typing import Literal

from vivavoce.cli import values
from vivavoce.cli.settings.spec import setting
from vivavoce.client.allowlist import Allowed

__all__ = ["Answers"]

_GROUP = "Who answers"


@dataclass(frozen=True, kw_only=True)
class Answers:
    backend: Literal["auto", "builtin", "upstream"] = setting(
        "auto", values.choice("auto", "builtin", "upstream"), _GROUP,
        "builtin: the models in this process. upstream: a server that speaks the Realtime API. auto: upstream when its "
        "key is set and no model is chosen, else builtin.",
    )  # fmt: skip
    upstream_url: str = setting(
        "https://api.openai.com/v1", values.http_url, _GROUP, "Where the upstream's API is.", metavar="URL"
    )
    upstream_key_env: str = setting(
        "OPENAI_API_KEY", values.text, _GROUP, "Variable that holds the upstream's key.", metavar="NAME"
    )
    upstream_kind: Literal["auto", "openai", "azure"] = setting(
        "auto", values.choice("auto", "openai", "azure"), _GROUP,
        "Whose paths and headers the upstream has; auto: Azure's for Azure's host names, else OpenAI's.",
    )  # fmt: skip
    webrtc: Literal["auto", "bridged", "direct"] = setting(
        "auto", values.choice("auto", "bridged", "direct"), _GROUP,
        "How calls reach the upstream. bridged: through this server, which sees everything. direct: the media goes "
        "past it. auto: direct where nothing is locked, budgeted or run here.",
    )  # fmt: skip
    model: str = setting(
        "gpt-realtime", values.text, _GROUP, "Model to ask for.", "VIVAVOCE_MODEL", "OPENAI_REALTIME_MODEL"
    )
    voice: str | None = setting(None, values.text, _GROUP, "Voice of a session that names none.", metavar="NAME")
    instructions: str | None = setting(None, values.text, _GROUP, "Instructions of a session that gives none.")
    allow_mcp: tuple[Allowed, ...] = setting(
        (), values.allowed, _GROUP,
        "MCP servers that sessions may use: an address and all below it, such as https://mcp.example/v1; none without "
        "this. A name that leads to a private address needs #private at its end. May be repeated.",
        metavar="URL", option="allow-mcp",
    )  # fmt: skip
