"""The upstream's HTTP API, with the server's key."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from vivavoce.access.scrub import scrub
from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.refusals import late, refusal, strange, unreachable
from vivavoce.client.realtime import error_object, is_loopback

__all__ = ["Api", "Reply"]

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""Until the whole answer is here."""
MAX_ANSWER = 1024 * 1024
"""Bytes."""
MAX_LOGGED = 2000
"""Characters of an answer that the log shows."""
SECRET_SECONDS = 60
"""How long an upstream secret lives that is used at once."""


class Reply(NamedTuple):
    text: str
    headers: Mapping[str, str]


class Api:
    """``url`` is the API's base, without a slash at its end. The HTTP session is opened with the first request and
    belongs to this object."""

    def __init__(self, url: str, key: str, key_name: str) -> None:
        self.url = url
        self._key = key
        self._key_name = key_name
        self._session: aiohttp.ClientSession | None = None

    async def mint(self, session: Mapping[str, Any]) -> str:
        """A client secret for one session that begins as ``session`` says. Raises :class:`BackendError`."""
        expiry = {"anchor": "created_at", "seconds": SECRET_SECONDS}
        reply = await self.post("/realtime/client_secrets", json={"session": session, "expires_after": expiry})
        try:
            value = json.loads(reply.text)["value"]
        except (ValueError, KeyError, TypeError):
            raise strange(self.url, "it minted no client secret") from None
        return str(value)

    async def post(
        self,
        path: str,
        *,
        facts: Callable[[str], str] | None = None,
        query: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Reply:
        """``body`` is aiohttp's ``data=`` or ``json=``; ``facts`` says, of the answer's text, what the log shows beside
        status and request id. Raises :class:`BackendError` for every answer but a 2xx, and for none."""
        try:
            async with self._http().post(self.url + path, params=query, allow_redirects=False, **body) as response:
                text = await _read(response)
        except TimeoutError:
            log.warning("upstream late path=%s", path)
            raise late(self.url, ANSWER_SECONDS) from None
        except aiohttp.ClientError as error:
            log.warning("upstream unreachable path=%s why=%s", path, error)
            raise unreachable(self.url, _why(error)) from None
        shown = f" {facts(text)}" if facts else ""
        request_id = response.headers.get("x-request-id")
        if response.ok and response.status < 300:
            log.info("upstream answered path=%s status=%d request_id=%s%s", path, response.status, request_id, shown)
            return Reply(text, response.headers)
        raise self.refused(path, response.status, text, request_id, shown)

    def refused(self, path: str, status: int, text: str, request_id: str | None, shown: str = "") -> BackendError:
        """What is told of a refusal; the log gets it whole."""
        body = scrub(text, self._key)[:MAX_LOGGED]
        log.warning("upstream refused path=%s status=%d request_id=%s%s body=%r", path, status, request_id, shown, body)
        return refusal(status, error_object(text.encode()), key=self._key, key_name=self._key_name)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self._key}"},
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS),
                trust_env=not is_loopback(urlsplit(self.url).hostname or ""),  # a proxy of this machine's user
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise aiohttp.ClientPayloadError(f"its answer has more than {MAX_ANSWER} bytes")
    return body.decode(errors="replace")


def _why(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0  # negative where no address was found for the name
        return os.strerror(number) if number > 0 else error.os_error.strerror or "the connection failed"
    return str(error) or "the connection was cut"
