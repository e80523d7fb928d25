"""An HTTP transport that goes only where it may: to allowed servers, at public addresses, for so many bytes.

Each request is held against the allow-list, a redirected one included. The host's name is looked up here, once, and
the connection is made to the very address that was judged, so a name that changes its mind in between leads nowhere
else; TLS and the ``Host`` header still know the name.
"""

from collections.abc import AsyncIterator, Sequence

import httpx2

from vivavoce.client.allowlist import Allowed, AllowList, is_public
from vivavoce.client.mcp_error import McpError, failure
from vivavoce.client.resolving import Resolve

__all__ = ["CONNECT_SECONDS", "MAX_BYTES", "GuardedTransport"]

CONNECT_SECONDS = 3.0
MAX_ADDRESSES = 3
"""Addresses of one host that are tried."""
MAX_BYTES = 1024 * 1024
"""What all answers together may hold."""

_TLS = httpx2.create_ssl_context(trust_env=False)
"""Made once: it reads every certificate there is, for 50 ms in which no conversation goes on."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """For one listing or one call."""

    def __init__(
        self,
        allowed: AllowList,
        resolve: Resolve,
        inner: httpx2.AsyncBaseTransport | None = None,
        *,
        who: str = "The MCP server",
        remedy: str | None = None,
    ) -> None:
        """``who`` is what messages call the other side; ``remedy`` how its owner lets it be at a private address, by
        default with ``--allow-mcp``."""
        self._who, self._remedy = who, remedy
        self.refused: McpError | None = None
        """Why a request was not made, or its answer not read: whoever asked hears only that it failed."""
        self.status = 0
        """Of the last answer."""
        self._allowed, self._resolve = allowed, resolve
        self._inner = inner or httpx2.AsyncHTTPTransport(verify=_TLS, trust_env=False)
        self._addresses: dict[tuple[str, int | None], Sequence[str]] = {}
        self._left = MAX_BYTES

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"  # so that the bytes counted are the bytes there are
        try:
            response = await self._sent(request, await self._judged(request.url))
            if response.headers.get("Content-Encoding", "identity") != "identity":
                await response.aclose()
                raise failure(f"{request.url.host} compresses its answer without being asked to.")
        except McpError as error:
            self.refused = error
            raise httpx2.ConnectError(str(error)) from None
        self.status = response.status_code
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Counted(response.stream, self)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            self.refused = failure(f"{self._who} answers with more than {MAX_BYTES // 1024} KiB.")
            raise httpx2.ReadError(str(self.refused))

    async def _judged(self, url: httpx2.URL) -> Sequence[str]:
        """The addresses that this request may go to."""
        host = url.raw_host.decode("ascii").strip("[]")
        entry = self._allowed.find(url.scheme, host, url.port, url.path)
        if entry is None:
            raise failure(f"{self._who} leads to {url.scheme}://{url.netloc.decode()}, which is not allowed here.")
        where = host, url.port
        if where not in self._addresses:
            self._addresses[where] = await self._look_up(entry)
        return self._addresses[where]

    async def _look_up(self, entry: Allowed) -> Sequence[str]:
        try:
            found = await self._resolve(entry.host, entry.port)
        except OSError:
            raise failure(f"There is no host {entry.host}.") from None
        usable = [address for address in found if entry.private or is_public(address)]
        if not usable:
            remedy = self._remedy or f"--allow-mcp {entry.scheme}://{entry.host}:{entry.port}#private"
            raise failure(
                f"{entry.host} leads to {', '.join(found)}, which is not on the public internet. "
                f"Whoever runs this server can allow that: {remedy}"
            )
        return usable[:MAX_ADDRESSES]

    async def _sent(self, request: httpx2.Request, addresses: Sequence[str]) -> httpx2.Response:
        url, extensions = request.url, {**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")}
        for last, address in enumerate(addresses, 1 - len(addresses)):
            pinned = httpx2.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=extensions,
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if not last:
                    raise failure(f"Nothing answers at {url.host}.") from None
        raise AssertionError("there is at least one address")


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, guard: GuardedTransport) -> None:
        self._stream, self._guard = stream, guard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._guard.count(len(chunk))
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
