"""A store in SQLite, and one in PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.services import postgres
from vivavoce.store.database import in_directory
from vivavoce.store.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield in_directory(tmp_path / "new data")
        return
    async with postgres() as url:
        yield url


@pytest.fixture
def store(url: str):
    opened: Store = open_store(url)
    yield opened
    opened.close()
