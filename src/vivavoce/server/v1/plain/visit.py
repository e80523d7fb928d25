"""One request of a plain endpoint: its place among the others, and who pays for it.

It is admitted like a session and lasts as long as its answer: the same limits, the same accounts, the same end when the
server leaves. One request too many is refused at once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vivavoce.access.agents import Agent
from vivavoce.access.limits import UsedUp
from vivavoce.access.prices import Price
from vivavoce.access.principal import Principal
from vivavoce.backends.interface import BackendError
from vivavoce.backends.plain import Passed, Passes, Thinks
from vivavoce.engine.senses import Senses
from vivavoce.models.interfaces import ModelError
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.server import logs
from vivavoce.server.admission import admitted
from vivavoce.server.entrance import address, own_upstream_key
from vivavoce.server.service import Service, bearer
from vivavoce.server.v1.plain.completion import Tally
from vivavoce.server.v1.plain.thread import Thread
from vivavoce.sessions.live import Live
from vivavoce.sessions.metrics import NOBODY
from vivavoce.sessions.registry import Draining
from vivavoce.store.responses import Response as Bill

__all__ = ["AT_ONCE", "Answer", "Visit", "visited"]

log = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE: Final = 16
"""Plain requests at one time. They share models with sessions, in which somebody is waiting for a voice."""
AGAIN_SECONDS: Final = 1.0
READ_SECONDS = 300.0
"""For the body of a request: 25 MB over a slow line."""
KIND: Final = "plain"

Answer = Callable[["Visit", Request], Awaitable[Response]]


class Visit:
    """``new_id`` names what is made here. What was used is charged with :meth:`charge`, once."""

    def __init__(self, service: Service, principal: Principal, request: Request, live: Live, thread: Thread) -> None:
        self.service, self.principal, self.thread = service, principal, thread
        self._request, self._live = request, live
        self.agent: Agent | None = None
        self.refused = False
        """Whether another server would not do it, and so charges nothing."""
        self.stack = AsyncExitStack()
        """Closed when the answer is complete, or its client gone."""

    @property
    def senses(self) -> Senses:
        """The models of this process. Raises :class:`BackendError` where there are none."""
        if isinstance(self.service.backend, Thinks):
            return self.service.backend.senses
        words = "Who answers here answers sessions, and no single requests."
        raise BackendError.of(404, words, code="not_found", type="invalid_request_error")

    async def pays(self, model: str, agent: Agent | None) -> None:
        """Whether ``model`` can be paid for. Raises :class:`ProtocolError` where there is a budget and no price, and
        :class:`BackendError` where the thread has used up what its agent allows one session."""
        self.agent = agent
        budget = agent.budget_usd if agent else None
        limited = budget is not None or (self._live.account is not None and self._live.account.limited)
        if limited and self.service.options.prices.find(model) is None:
            words = (
                f"This has a budget, and what '{model}' costs is not known here. The owner of this server can write it "
                "down under [prices] in vivavoce.toml."
            )
            raise ProtocolError("price_unknown", words, type="server_error")
        if budget is not None and await self.thread.spent() >= budget:
            raise spent("The budget of this thread is used up.")

    async def charge(
        self, kind: str, model: str, usage: Mapping[str, Any] | None, *, status: str = "completed"
    ) -> None:
        """``usage`` in the protocol's shape, by tokens or by seconds; empty where nothing was used, None where nobody
        told."""
        usd, agent = _cost(self.service.options.prices.find(model), usage), self.agent.name if self.agent else None
        if usd and self._live.account is not None:
            self._live.account.debit(usd)
        log.info("plain %s %s model=%r agent=%s usd=%s", kind, status, model, agent or "-", usd)
        self._count(kind, status, model, agent, usage or {}, usd)
        bill = Bill(
            id=self.service.new_id("resp_"), model=model, ended_at=self.service.now(), kind=kind, status=status,
            agent=agent, usage=usage, usd=usd,
        )  # fmt: skip
        await self.thread.write(bill)

    def _count(
        self, kind: str, status: str, model: str, agent: str | None, usage: Mapping[str, Any], usd: Decimal | None
    ) -> None:
        metrics = self.service.metrics
        labels = metrics.agent(agent or NOBODY), metrics.model(model)
        if kind == "response":
            metrics.answered(status, *labels, usage)
        else:
            metrics.used(labels[1], usage)
        if usd:
            metrics.dollars.labels(*labels).inc(float(usd))

    async def answered(self, tally: Tally, model: str, usage: Mapping[str, Any] | None) -> None:
        """A mind has answered, as far as it came."""
        if tally.text:
            self.thread.say("assistant", tally.text)
        for name, id, arguments in tally.calls:
            self.thread.call_tool(name, id, arguments)
        said = bool(tally.text or tally.calls)
        status = "completed" if tally.finish else "incomplete" if said else "failed"
        await self.charge("response", model, usage, status=status)

    async def passed(self, backend: Passes, path: str, body: Mapping[str, Any]) -> Passed:
        """The answer of another server, open as long as this visit. Raises :class:`BackendError`."""
        asking = backend.passed("POST", path, upstream_key=self.principal.upstream_key, body=body)
        try:
            return await self.unless_gone(self.stack.enter_async_context(asking))
        except BackendError:
            self.refused = True
            raise

    async def spoke(self, text: str, model: str, usage: Mapping[str, Any], seconds: float) -> None:
        """A voice has spoken, as far as it came."""
        if seconds:
            await self.thread.speak(text)
        await self.charge("speech", model, usage if seconds else {}, status="completed" if seconds else "failed")

    async def read(self, body: Awaitable[T]) -> T:
        """The body of the request. Raises :class:`BackendError` for one that does not come to an end in time."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await body
        except TimeoutError:
            words = f"The body did not arrive within {READ_SECONDS:g} s."
            raise BackendError.of(408, words, code="timeout", type="invalid_request_error") from None

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` gives; stopped when the client has gone (:class:`ClientDisconnect`) or the visit is ended."""
        working: asyncio.Future[T] = asyncio.ensure_future(work)
        gone: asyncio.Future[None] = asyncio.ensure_future(_gone(self._request))
        these: list[asyncio.Future[Any]] = [working, gone, self._live.ending]
        try:
            await asyncio.wait(these, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Draining if self._live.ending.done() else ClientDisconnect
        finally:
            working.cancel()
            gone.cancel()
            await asyncio.wait(these[:2])


class _Held(Response):
    """An answer, and what has to stay open until it is given."""

    def __init__(self, response: Response, stack: AsyncExitStack, live: Live) -> None:
        self._response, self._stack, self._live = response, stack, live
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            giving = asyncio.ensure_future(self._response(scope, receive, send))
            these: list[asyncio.Future[Any]] = [giving, self._live.ending]
            try:
                await asyncio.wait(these, return_when=asyncio.FIRST_COMPLETED)
            finally:
                giving.cancel()
                with suppress(asyncio.CancelledError):
                    await giving


async def visited(answer: Answer, service: Service, request: Request) -> Response:
    """What ``answer`` gives, in a place of its own. Raises whatever a session is refused with."""
    stack = AsyncExitStack()
    try:
        visit, live = await stack.enter_async_context(_visiting(service, request))
        stack.push_async_exit(visit.stack)
        response = await answer(visit, request)
        response.headers.update(visit.thread.headers)
        return _Held(response, stack, live)
    except BaseException as error:
        await stack.aclose()
        if isinstance(error, ModelError):
            raise BackendError.of(502, str(error), code="model_error") from None
        if isinstance(error, ClientDisconnect):
            return Response(status_code=499)  # nobody reads it
        raise


def spent(words: str) -> BackendError:
    """As OpenAI tells it, and clients do not ask again."""
    return BackendError.of(429, words, code="insufficient_quota", type="insufficient_quota")


def _cost(price: Price | None, usage: Mapping[str, Any] | None) -> Decimal | None:
    """None where nobody knows it. What costs nothing costs nothing, however much it was."""
    if usage == {} or price == Price():
        return Decimal(0)
    return None if price is None or usage is None else price.of(usage)


@asynccontextmanager
async def _visiting(service: Service, request: Request) -> AsyncIterator[tuple[Visit, Live]]:
    principal = await service.gate.enter_with_standard_key(bearer(request))
    own = own_upstream_key(request)
    principal = replace(principal, upstream_key=own) if own else principal
    if service.registry.count(kind=KIND) >= AT_ONCE:
        raise _busy()
    id = service.new_id("req_")
    logs.session.set(id)
    try:
        async with admitted(service, principal, id, KIND, address(request)) as live:
            live.quiet.clear()
            thread = Thread(service, principal.name, request.headers.get(Thread.HEADER))
            try:
                yield Visit(service, principal, request, live, thread), live
            finally:
                live.quiet.set()
    except UsedUp as over:
        raise spent(str(over)) from None


def _busy() -> BackendError:
    words = "As many requests are being answered as this server takes. Try again in a moment."
    body = {"type": "server_error", "code": "overloaded", "message": words, "param": None}
    return BackendError(503, body, AGAIN_SECONDS)


async def _gone(request: Request) -> None:
    """The body has been read: what comes next is the end."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
