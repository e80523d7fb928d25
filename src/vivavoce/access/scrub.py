"""Takes secrets out of a text before anybody sees it."""

import re

__all__ = ["scrub"]

_SECRETS = re.compile(
    r"""\b(?:sk|ek|vvs?)[-_][A-Za-z0-9*_-]{6,}     # OpenAI's keys, whole or with stars in the middle, and ours
    |\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*   # a JSON Web Token
    |(?<=openai-insecure-api-key\.)[^\s,"']+       # a key in a WebSocket's subprotocols
    |(?<=bearer\s)[^\s,"']+
    |(?<=-key:\s)[^\s,"']+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def scrub(text: str, *known: str) -> str:
    """``text`` with "…" in the place of everything that looks like a key, and of the ``known`` ones,
    whatever they look like."""
    for secret in known:
        if secret:
            text = text.replace(secret, "…")
    return _SECRETS.sub("…", text)
