"""The upstream's HTTP API."""

import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp

from vivavoce.access.loopback import is_loopback
from vivavoce.access.scrub import scrub
from vivavoce.backends.interface import BackendError
from vivavoce.backends.plain import File, Passed
from vivavoce.backends.upstream.patience import Patience, patiently
from vivavoce.backends.upstream.place import Place
from vivavoce.backends.upstream.refusals import Key, late, refusal, strange, unreachable
from vivavoce.client.realtime import error_object

__all__ = ["Answer", "Api", "Placed", "seconds"]

log = logging.getLogger(__name__)

MAX_ANSWER = 1024 * 1024
"""Bytes."""
MAX_LOGGED = 2000
"""Characters of an answer that the log shows."""
KEEP_SECONDS = 3.0
"""How long a connection is kept for the next request."""
SECRET_SECONDS = 60
"""How long an upstream secret lives that is used at once."""


class Answer(NamedTuple):
    text: str
    headers: Mapping[str, str]


class Placed(NamedTuple):
    """A call that the upstream has answered."""

    sdp: str
    call: str
    """Its name there; empty where it told none."""


class Api:
    """The HTTP session is opened with the first request and belongs to this object."""

    def __init__(self, place: Place, patience: Patience) -> None:
        self.place, self._patience = place, patience
        self._session: aiohttp.ClientSession | None = None

    async def mint(self, session: Mapping[str, Any], key: Key) -> str:
        """A client secret for one session that begins as ``session`` says. Raises :class:`BackendError`."""
        expiry = {"anchor": "created_at", "seconds": SECRET_SECONDS}
        body = {"session": session, "expires_after": expiry}
        answer = await patiently(
            self._patience,
            lambda: self.ask("POST", "/realtime/client_secrets", key, self.place.shown(key.value), json=body),
        )
        try:
            value = json.loads(answer.text)["value"]
        except (ValueError, KeyError, TypeError):
            raise strange(self.place.url, "it minted no client secret") from None
        return str(value)

    async def place_call(self, offer: str, session: Mapping[str, Any], key: Key) -> Placed:
        """The offer goes out once, unless it cannot have arrived. On Azure a call is placed with a secret, which holds
        the session. Raises :class:`BackendError`, and then no call is left behind."""
        if self.place.azure:
            shown = self.place.shown_secret(await self.mint(session, key))
        else:
            shown = self.place.shown(key.value)

        async def place() -> Answer:
            body, sdp = _call_body(offer, None if self.place.azure else session)
            return await self.ask(
                "POST", "/realtime/calls", key, {**shown, **sdp}, data=body,
                facts=lambda answer: f"offer={len(offer)}B answer={len(answer)}B",
            )  # fmt: skip

        answer = await patiently(self._patience, place, placing=True)
        call = answer.headers.get("Location", "").rpartition("/")[2]
        if not answer.text.lstrip().startswith("v="):
            if call:
                await self.hang_up(call, key)  # nobody could speak on it (H-46)
            raise strange(self.place.url, "it answered the call with something that is not SDP")
        return Placed(answer.text, call)

    async def hang_up(self, call: str, key: Key) -> None:
        """A call that has ended is no error. Raises :class:`BackendError`."""
        path = f"/realtime/calls/{quote(call, safe='')}/hangup"
        try:
            await patiently(self._patience, lambda: self.ask("POST", path, key, self.place.shown(key.value)))
        except BackendError as error:
            if error.status != 404:
                raise

    async def ask(
        self,
        method: str,
        path: str,
        key: Key,
        headers: Mapping[str, str],
        *,
        facts: Callable[[str], str] | None = None,
        **body: Any,
    ) -> Answer:
        """One request. ``body`` is aiohttp's ``data=`` or ``json=``; ``facts`` says, of the answer's text, what the
        log shows beside status and request id. Raises :class:`BackendError` for every answer but a 2xx, and for
        none."""
        request = self._http().request(method, self.place.url + path, headers=headers, allow_redirects=False, **body)
        try:
            async with request as response:
                text = await _read(response)
        except TimeoutError:
            log.warning("upstream late path=%s", path)
            raise late(self.place.url, self._patience.answer) from None
        except aiohttp.ClientError as error:
            log.warning("upstream unreachable path=%s why=%s", path, error)
            unsent = isinstance(error, aiohttp.ClientConnectorError)
            raise unreachable(self.place.url, _why(error), unsent=unsent) from None
        shown = f" {facts(text)}" if facts else ""
        request_id = response.headers.get("x-request-id")
        if 200 <= response.status < 300:
            log.info("upstream answered path=%s status=%d request_id=%s%s", path, response.status, request_id, shown)
            return Answer(text, response.headers)
        after = response.headers.get("retry-after")
        raise self.refused(path, response.status, text, request_id, key, shown=shown, retry_after=after)

    @asynccontextmanager
    async def stream(self, method: str, path: str, key: Key, body: Mapping[str, Any] | None) -> AsyncIterator[Passed]:
        """One request whose answer is read as it comes; ``body`` as in :class:`Passes`. To leave before its end stops
        the upstream. Raises as :meth:`ask` does."""
        patience = self._patience
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=patience.connect, sock_read=patience.silence)
        shown = self.place.shown(key.value)
        asked = self._http().request(
            method, self.place.url + path, headers=shown, allow_redirects=False, timeout=timeout, **_sent(body)
        )
        try:
            response = await asked
        except TimeoutError:
            raise late(self.place.url, patience.silence) from None
        except aiohttp.ClientError as error:
            log.warning("upstream unreachable path=%s why=%s", path, error)
            raise unreachable(self.place.url, _why(error)) from None
        try:
            request_id = response.headers.get("x-request-id")
            if not 200 <= response.status < 300:
                after = response.headers.get("retry-after")
                raise self.refused(path, response.status, await _read(response), request_id, key, retry_after=after)
            log.info("upstream answers path=%s status=%d request_id=%s", path, response.status, request_id)
            yield Passed(response.headers.get("Content-Type", ""), self._pieces(response))
        finally:
            if not response.content.is_eof():
                response.close()
            response.release()

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except TimeoutError:
            raise late(self.place.url, self._patience.silence) from None
        except aiohttp.ClientError as error:
            raise unreachable(self.place.url, _why(error), unsent=False) from None

    def refused(
        self,
        path: str,
        status: int,
        text: str,
        request_id: str | None,
        key: Key,
        *,
        shown: str = "",
        retry_after: str | None = None,
    ) -> BackendError:
        """What is told of a refusal; the log gets it whole."""
        body = scrub(text, key.value)[:MAX_LOGGED]
        log.warning("upstream refused path=%s status=%d request_id=%s%s body=%r", path, status, request_id, shown, body)
        error = error_object(text.encode())
        return refusal(status, error, key=key, request_id=request_id, retry_after=seconds(retry_after))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Shorter than servers keep a silent connection: an offer that met a closed one could not be sent again.
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_SECONDS),
                timeout=aiohttp.ClientTimeout(total=self._patience.answer, sock_connect=self._patience.connect),
                trust_env=not is_loopback(self.place.host),  # a proxy of this machine's user
            )
        return self._session


def seconds(retry_after: str | None) -> float | None:
    """A ``Retry-After`` header; one that gives a date is not understood, and none."""
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None


def _sent(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """As aiohttp takes it."""
    if body is None or not any(isinstance(value, File) for value in body.values()):
        return {} if body is None else {"json": body}
    form = aiohttp.FormData()
    for name, value in body.items():
        if isinstance(value, File):
            form.add_field(name, value.content, filename=value.name, content_type=value.kind)
        else:
            for each in value if isinstance(value, list) else [value]:
                form.add_field(name, str(each))
    return {"data": form}


def _call_body(offer: str, session: Mapping[str, Any] | None) -> tuple[Any, dict[str, str]]:
    """A form is used up by the sending, so each attempt needs its own."""
    if session is None:
        return offer, {"Content-Type": "application/sdp"}
    form = aiohttp.FormData()
    form.add_field("sdp", offer, content_type="application/sdp")
    form.add_field("session", json.dumps(session), content_type="application/json")
    return form, {}


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
