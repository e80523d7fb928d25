"""All that is kept, together."""

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from vivavoce.store.calls import DirectCalls
from vivavoce.store.database import Database, StoreError, memory_engine, open_engine
from vivavoce.store.grants import GrantRows
from vivavoce.store.items import Items
from vivavoce.store.keys import Keys
from vivavoce.store.ledger import Ledger
from vivavoce.store.recordings import Recordings
from vivavoce.store.responses import Responses
from vivavoce.store.schema import metadata
from vivavoce.store.sessions import Sessions
from vivavoce.store.shares import Shares
from vivavoce.store.upgrade import upgrade
from vivavoce.store.usage import Usage

__all__ = ["Store", "in_memory", "open_store"]


class Store:
    def __init__(self, engine: Engine) -> None:
        self.database = Database(engine)
        self.keys = Keys(self.database)
        self.grants = GrantRows(self.database)
        self.shares = Shares(self.database)
        self.calls = DirectCalls(self.database)
        self.sessions = Sessions(self.database)
        self.items = Items(self.database)
        self.responses = Responses(self.database)
        self.usage = Usage(self.database)
        self.recordings = Recordings(self.database)
        self.ledger = Ledger(self.database)

    def close(self) -> None:
        """Idempotent."""
        self.database.close()


def in_memory() -> Store:
    """An empty one that ends with the process."""
    engine = memory_engine()
    metadata.create_all(engine)
    return Store(engine)


def open_store(url: str) -> Store:
    """The database at ``url``, its tables brought up to date. Raises :class:`StoreError`."""
    engine = open_engine(url)
    try:
        upgrade(engine)
    except DBAPIError as error:
        engine.dispose()
        words = str(error.orig).strip().partition("\n")[0]
        raise StoreError(f"The database {engine.url!r} cannot be used: {words}") from None
    except StoreError:
        engine.dispose()
        raise
    return Store(engine)
