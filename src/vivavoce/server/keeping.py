"""What a server keeps for longer than a request, and by which it knows who may come in."""

from dataclasses import dataclass, field

from limits.aio.storage import Storage

from vivavoce.access.jwt import Tokens
from vivavoce.store.store import Store, in_memory

__all__ = ["Keeping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    store: Store = field(default_factory=in_memory)
    secret: bytes | None = field(default=None, repr=False)
    """Seals what is kept. None is one that ends with the process."""
    tokens: Tokens | None = None
    """Of end users."""
    counts: Storage | None = None
    """Where limits are counted; None is in memory."""
