"""All that is kept, together."""

import os
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from vivavoce.store.calls import DirectCalls
from vivavoce.store.database import Database, StoreError, memory_engine, open_engine
from vivavoce.store.files import Files
from vivavoce.store.forgetting import Forgetting
from vivavoce.store.grants import GrantRows
from vivavoce.store.items import Items
from vivavoce.store.keys import Keys
from vivavoce.store.ledger import Ledger
from vivavoce.store.recordings import Recordings
from vivavoce.store.responses import Responses
from vivavoce.store.resume_tokens import ResumeTokens
from vivavoce.store.schema import metadata
from vivavoce.store.sessions import Sessions
from vivavoce.store.shares import Shares
from vivavoce.store.upgrade import upgrade
from vivavoce.store.usage import Usage

__all__ = ["RECORDINGS", "Store", "in_memory", "open_store"]

RECORDINGS = "recordings"
"""Of the data directory, where there is one: the directory of files."""
NOWHERE = Path(os.devnull) / RECORDINGS
"""Where there is none: nothing is found there, and nothing can be put there."""


class Store:
    """``files`` is the directory of what is too large for a database."""

    def __init__(self, engine: Engine, files: Path) -> None:
        self.database = Database(engine)
        self.keys = Keys(self.database)
        self.grants = GrantRows(self.database)
        self.shares = Shares(self.database)
        self.calls = DirectCalls(self.database)
        self.ledger = Ledger(self.database)
        self.sessions = Sessions(self.ledger)
        self.items = Items(self.ledger)
        self.responses = Responses(self.ledger)
        self.usage = Usage(self.ledger)
        self.recordings = Recordings(self.database)
        self.resume_tokens = ResumeTokens(self.database)
        self.files = Files(files)
        self.forgetting = Forgetting(self.sessions, self.usage, self.calls, self.files, self.database.erase)

    def close(self) -> None:
        """Idempotent."""
        self.database.close()


def in_memory(files: Path | None = None) -> Store:
    """An empty one that ends with the process."""
    engine = memory_engine()
    metadata.create_all(engine)
    return Store(engine, files or NOWHERE)


def open_store(url: str, files: Path | None = None) -> Store:
    """The database at ``url``, its tables brought up to date. Raises :class:`StoreError`."""
    engine = open_engine(url)
    try:
        upgrade(engine, metadata)
    except DBAPIError as error:
        engine.dispose()
        words = str(error.orig).strip().partition("\n")[0]
        raise StoreError(f"The database {engine.url!r} cannot be used: {words}") from None
    except StoreError:
        engine.dispose()
        raise
    return Store(engine, files or NOWHERE)
