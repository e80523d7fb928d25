"""A place for one session: within the limits of whoever asks, and only as long as they allow."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from vivavoce.access.gate import Refused
from vivavoce.access.limits import MICRO, Left, OverLimit, Subject, network, subjects
from vivavoce.access.principal import Principal
from vivavoce.access.shares import Share
from vivavoce.server.service import Service
from vivavoce.sessions.capacity import Full
from vivavoce.sessions.live import Live
from vivavoce.sessions.upkeep import Account, Lasting, Over, Upkeep

__all__ = ["admitted", "check_room"]

log = logging.getLogger(__name__)

Who = tuple[Subject, ...]


@asynccontextmanager
async def admitted(
    service: Service, principal: Principal, id: str, kind: str, address: str, *, returning: bool = False
) -> AsyncIterator[Live]:
    """The place, while the context lasts. ``address`` is the client's; ``returning`` is who goes on with a
    conversation. Raises :class:`OverLimit`, :class:`Refused` for a share link that is used up, and what
    :meth:`Registry.admit` raises."""
    who = subjects(principal, address)
    left = await service.limits.begin(who)
    share = await _share(service, principal)
    account = Account(partial(_charge, service, principal, who), _least(left, share))
    await _room(service, who, principal.name, network(address), returning)
    # From here on nothing waits until the place is taken, so that no other takes it in between.
    with service.registry.admit(id, kind, network(address), principal.name, returning=returning) as live:
        upkeep = Upkeep(live, account, _lasting(service, principal), asyncio.get_running_loop().time)
        live.account = account
        live.opened_by = principal.grant.id if principal.grant else ""
        live.observers.append(upkeep)
        running = asyncio.create_task(upkeep.run())
        try:
            yield live
        finally:
            running.cancel()
            await asyncio.wait([running])
            await _settle(upkeep)


def check_room(service: Service) -> None:
    """Whether a new session may be let in, before anything is known of it. Raises as :meth:`Registry.check_room`."""
    try:
        service.registry.check_room()
    except Full:
        if not len(service.parking):
            raise


async def _room(service: Service, who: Who, owner: str, client: str, returning: bool) -> None:
    """There is room for one more session, if need be that of one which waits for a client that was cut off: of those
    who come now, where it is their limit, and of anybody, where it is the server's. Raises as :func:`admitted`."""
    while True:
        try:
            service.limits.room(who, partial(_count, service))
            service.registry.check_room(returning=returning)
            return
        except OverLimit:
            parked = service.parking.give_way(lambda live: live.owner == owner or live.client == client)
            if parked is None:
                raise
        except Full:  # not where it is overloaded: those who wait need next to nothing
            if (parked := service.parking.give_way(lambda live: True)) is None:
                raise
        await parked.gone.wait()


async def _charge(service: Service, principal: Principal, who: Who, seconds: int, micros: int) -> Left:
    left = await service.limits.spend(who, seconds=seconds, micros=micros)
    kind, _, id = principal.name.partition(":")
    share = await service.store.shares.charge(id, seconds=seconds, dollars=micros / MICRO) if kind == "share" else None
    try:
        await service.gate.still(principal)
    except Refused as refused:
        raise Over(refused.message) from None
    return _least(left, share)


async def _share(service: Service, principal: Principal) -> Share | None:
    kind, _, id = principal.name.partition(":")
    return await service.store.shares.get(id) if kind == "share" else None


def _least(left: Left, share: Share | None) -> Left:
    if share is None:
        return left
    seconds = left.seconds if share.seconds is None else share.seconds - share.used_seconds
    dollars = left.dollars if share.dollars is None else share.dollars - share.used_dollars
    return Left(min(left.seconds, seconds), min(left.dollars, dollars))


def _count(service: Service, subject: Subject) -> int:
    if subject.kind == "address":
        return service.registry.count(client=subject.name)
    return service.registry.count(owner=subject.name)


def _lasting(service: Service, principal: Principal) -> Lasting:
    """Alone on one's own machine, only what was asked for; with others, always something."""
    return service.options.lasting_local if principal.kind == "local" else service.options.lasting


async def _settle(upkeep: Upkeep) -> None:
    try:
        await upkeep.settle()
    except Over:
        pass
    except Exception:
        log.exception("what a session used last could not be charged")
