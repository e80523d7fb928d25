"""Where limits are counted: in this process, or in Redis, for several processes together."""

from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.errors import ConfigurationError

__all__ = ["CountsError", "close_counts", "counts_at"]

REDIS_SECONDS = 2.0
"""How long Redis may take; who asks for a session does not wait longer for that."""


class CountsError(Exception):
    """Limits cannot be counted there. The message is for who runs the server."""


def counts_at(url: str) -> Storage:
    """For ``memory://``, ``redis://host:port/number`` or ``rediss://…``. Nothing is connected yet. Raises
    :class:`CountsError`."""
    if url == "memory://":
        return MemoryStorage(wrap_exceptions=True)
    try:
        return RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
    except ConfigurationError:
        raise CountsError("Redis needs a package that is not installed: pip install 'vivavoce[redis]'") from None


async def close_counts(storage: Storage) -> None:
    """Ends its connections. Idempotent."""
    if isinstance(storage, RedisStorage) and isinstance(storage.bridge, RedispyBridge):
        await storage.bridge.storage.aclose()
