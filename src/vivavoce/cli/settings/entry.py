"""Who may come in, and how much each may have."""

from dataclasses import dataclass

from vivavoce.access.limits import Allowance
from vivavoce.cli import values
from vivavoce.cli.allowances import DEFAULTS, SHAPE, allowance
from vivavoce.cli.settings.spec import setting

__all__ = ["Entry"]

_GROUP = "Who may come in"


@dataclass(frozen=True, kw_only=True)
class Entry:
    jwt_jwks_url: str | None = setting(
        None, values.http_url, _GROUP, "Where your app publishes the keys that sign its users' tokens (JWKS); or set "
        "VIVAVOCE_JWT_SECRET.", metavar="URL",
    )  # fmt: skip
    jwt_audience: str | None = setting(None, values.text, _GROUP, "What a token's 'aud' must be.", metavar="TEXT")
    jwt_issuer: str | None = setting(None, values.text, _GROUP, "What a token's 'iss' must be.", metavar="TEXT")
    limit_key: Allowance = setting(
        allowance(DEFAULTS["key"]), allowance, _GROUP,
        f"What one API key or share link may have: {SHAPE}. By default {DEFAULTS['key']}.", metavar="LIMITS",
    )  # fmt: skip
    limit_user: Allowance = setting(
        allowance(DEFAULTS["user"]), allowance, _GROUP,
        f"The same for one user with a token. By default {DEFAULTS['user']}.", metavar="LIMITS",
    )  # fmt: skip
    limit_address: Allowance = setting(
        allowance(DEFAULTS["address"]), allowance, _GROUP,
        f"The same for one address that pages come from. By default {DEFAULTS['address']}.", metavar="LIMITS",
    )  # fmt: skip
    limits_url: str = setting(
        "memory://", values.redis_url, _GROUP,
        "Where limits are counted; redis://host:port/number for several servers.",
        metavar="URL",
    )  # fmt: skip
    session_minutes: int | None = setting(
        None, values.number(0, 1440, "a number of minutes"), _GROUP,
        "How long a session lasts at most; 0 is as long as who answers lets it. By default 60 where keys are demanded.",
        metavar="N",
    )  # fmt: skip
    silence_minutes: int | None = setting(
        None, values.number(0, 1440, "a number of minutes"), _GROUP,
        "After how long a silence to hang up; 0 is never. By default 10 where keys are demanded.", metavar="N",
    )  # fmt: skip
