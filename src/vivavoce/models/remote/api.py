"""One server of OpenAI's HTTP API, asked by one sense: connections are kept, an answer is read as it comes, and whoever
stops reading stops the server too.

aiohttp, since a streamed piece costs 22 µs with it, 45 with httpx and 125 with OpenAI's own client; and it is here
already, for upstreams.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from vivavoce.access.loopback import is_loopback
from vivavoce.models.interfaces import ModelError
from vivavoce.models.remote.errors import Refusal, cut, late, refusal, strange, unreachable
from vivavoce.models.remote.place import Patience, Remote

__all__ = ["AT_ONCE", "Api", "Body", "Reply"]

log = logging.getLogger(__name__)

AT_ONCE = 128
"""Requests to one server at one time; one more is refused at once, and not queued into a slow one."""
KEEP_SECONDS = 50.0
"""How long a connection is kept for the next turn. Where the server has closed it meanwhile, it is asked again."""
MAX_REFUSAL = 64 * 1024
"""Bytes of a refusal that are read."""
MAX_WHOLE = 4 * 1024 * 1024
"""Bytes of an answer that is read as a whole."""

Body = Callable[[], dict[str, Any]]
"""Makes aiohttp's ``json=`` or ``data=`` anew for each attempt: a form is used up by the sending."""


class Reply:
    """An answer that has begun with a success."""

    def __init__(self, remote: Remote, response: aiohttp.ClientResponse, patience: Patience, deadline: float) -> None:
        self._remote, self._response, self._patience, self._deadline = remote, response, patience, deadline

    @property
    def kind(self) -> str:
        """Of the ``Content-Type``: ``audio/pcm``."""
        return self._response.content_type

    @property
    def parameters(self) -> dict[str, str]:
        """Of the ``Content-Type``: ``{"rate": "24000"}``."""
        parts = self._response.headers.get("Content-Type", "").split(";")[1:]
        return {name.strip().lower(): value.strip(' "') for name, _, value in (part.partition("=") for part in parts)}

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """As they come off the network. Raises :class:`ModelError` where nothing comes, or it ends too early."""
        wait_until, content = self._deadline, self._response.content
        loop, seconds = asyncio.get_running_loop(), self._patience.first
        while True:
            try:
                async with asyncio.timeout_at(wait_until):
                    chunk = await content.readany()
            except TimeoutError:
                raise late(self._remote, seconds) from None
            except (aiohttp.ClientError, OSError):
                raise cut(self._remote) from None
            if not chunk:
                return
            yield chunk
            seconds = self._patience.between
            wait_until = loop.time() + seconds

    async def whole(self) -> bytes:
        """All of it. Raises :class:`ModelError`."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > MAX_WHOLE:
                raise strange(self._remote, f"its answer has more than {MAX_WHOLE} bytes")
        return bytes(body)


class Api:
    """The HTTP session is opened with the first request and belongs to this object."""

    def __init__(self, remote: Remote, patience: Patience | None = None) -> None:
        self.remote, self._patience = remote, patience or Patience()
        self._session: aiohttp.ClientSession | None = None
        self._under_way = 0

    @asynccontextmanager
    async def ask(self, method: str, path: str, body: Body = dict) -> AsyncIterator[Reply]:
        """One request. It is asked a second time where nothing came back of the first and the reason may have gone. To
        leave the context before the end of the answer closes the connection, by which the server knows. Raises
        :class:`ModelError`; :class:`Refusal` for a status."""
        if self._under_way >= AT_ONCE:
            raise ModelError(f"{self.remote.what} is asked {AT_ONCE} things at once already. Try again in a moment.")
        self._under_way += 1
        try:
            deadline = asyncio.get_running_loop().time() + self._patience.first
            response = await self._answered(method, path, body, deadline)
            try:
                yield Reply(self.remote, response, self._patience, deadline)
            finally:
                if not response.content.is_eof():
                    response.close()
                response.release()
        finally:
            self._under_way -= 1

    async def check(self) -> list[str] | None:
        """The models that it names, None where it names none; so it is there, and the key is good. Raises
        :class:`ModelError`."""
        try:
            async with self.ask("GET", "/models") as reply:
                return _names(await reply.whole())
        except Refusal as error:
            if error.status in (404, 405, 501):  # many a voice server has no such list
                return None
            raise

    async def close(self) -> None:
        """Idempotent."""
        if self._session is not None:
            await self._session.close()

    async def _answered(self, method: str, path: str, body: Body, deadline: float) -> aiohttp.ClientResponse:
        try:
            return await self._once(method, path, body, deadline)
        except _Again as again:
            if again.pause > self._patience.longest_pause:
                raise again.error from None
            log.info("asking again in %.2f s: %s", again.pause, again.error)
            await self._patience.sleep(again.pause)
        try:
            return await self._once(method, path, body, deadline)
        except _Again as again:
            raise again.error from None

    async def _once(self, method: str, path: str, body: Body, deadline: float) -> aiohttp.ClientResponse:
        headers = {"Authorization": f"Bearer {self.remote.key}"} if self.remote.key else {}
        url = self.remote.url + path
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._http().request(method, url, headers=headers, allow_redirects=False, **body())
        except aiohttp.ConnectionTimeoutError:
            raise unreachable(self.remote, f"no connection within {self._patience.connect:g} s") from None
        except TimeoutError:
            raise late(self.remote, self._patience.first) from None
        except aiohttp.ServerDisconnectedError:  # most likely it closed a connection that was kept
            raise _Again(unreachable(self.remote, "it closed the connection without an answer"), 0.0) from None
        except (aiohttp.ClientError, OSError) as error:
            raise _Again(unreachable(self.remote, _why(error)), self._patience.pause) from None
        if 200 <= response.status < 300:
            return response
        raise await self._refused(response)

    async def _refused(self, response: aiohttp.ClientResponse) -> Exception:
        try:
            async with asyncio.timeout(self._patience.between):
                body = await response.content.read(MAX_REFUSAL)
        except (TimeoutError, aiohttp.ClientError, OSError):
            body = b""
        finally:
            response.close()
        refused = refusal(self.remote, response.status, body, response.headers.get("Retry-After"))
        level = logging.INFO if response.method == "GET" else logging.WARNING  # a check tells by itself what it found
        log.log(level, "remote refused sense=%s status=%d said=%r", self.remote.sense, response.status, refused.said)
        if not refused.passing:
            return refused
        return _Again(refused, self._patience.pause if refused.retry_after is None else refused.retry_after)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, keepalive_timeout=KEEP_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience.connect),
                trust_env=not is_loopback(self.remote.host),  # a proxy of this machine's user
            )
        return self._session


class _Again(Exception):
    """Nothing was given, and it may be otherwise in ``pause`` seconds."""

    def __init__(self, error: ModelError, pause: float) -> None:
        super().__init__(str(error))
        self.error, self.pause = error, pause


def _names(body: bytes) -> list[str] | None:
    try:
        return [str(model["id"]) for model in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError):
        return None


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0  # negative where no address was found for the name
        return os.strerror(number) if number > 0 else error.os_error.strerror or "the connection failed"
    return str(error) or "the connection was cut"
