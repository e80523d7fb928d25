"""Keeps sessions as long as the operator wants, and no longer: looked at when the server starts, then every hour."""

import asyncio
import logging
from typing import Final

from vivavoce.server.mending import mend
from vivavoce.server.service import Service

__all__ = ["DAY", "HOUR", "retain"]

log = logging.getLogger(__name__)

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR


async def retain(service: Service) -> None:
    """Until it is cancelled. Beside the server: a few sessions at a time, and none that lives. What cannot be deleted
    now is tried again in an hour."""
    while True:
        try:
            await _once(service)
        except Exception as error:
            log.warning("what is too old could not all be deleted: %s", error)
        try:
            await mend(service)
        except Exception as error:
            log.warning("recordings that broke off could not all be put in order: %s", error)
        await asyncio.sleep(HOUR)


async def _once(service: Service) -> None:
    now, days = service.now(), service.options.keep_days
    await service.store.calls.forget(before=now - DAY)
    if days is None:
        return
    count = await service.store.forgetting.older(now - days * DAY, spare=service.registry.records())
    if count:
        log.info("%d sessions are older than %d days and are deleted", count, days)
