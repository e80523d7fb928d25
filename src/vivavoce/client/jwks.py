"""Fetches the public keys that somebody else publishes (JWKS, RFC 7517)."""

import json
from typing import Any

import aiohttp

__all__ = ["fetch_keys"]

SECONDS = 5.0
MAX_BYTES = 256 * 1024


async def fetch_keys(url: str) -> dict[str, Any]:
    """Raises ``OSError`` or ``ValueError`` with words for the log."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS), trust_env=True) as http:
            async with http.get(url, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise OSError(f"{url} answered {answer.status}")
                body = await answer.content.read(MAX_BYTES + 1)
                while len(body) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES + 1)):
                    body += more
    except TimeoutError:
        raise OSError(f"{url} did not answer within {SECONDS:g} s") from None
    except aiohttp.ClientError as error:
        raise OSError(f"{url} cannot be reached: {error}") from None
    if len(body) > MAX_BYTES:
        raise ValueError(f"{url} sent more than {MAX_BYTES} bytes")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"{url} sent no key set")
    return found
