"""The server, and the packages that the JavaScript clients need."""

from collections.abc import Iterator

import pytest

from tests.compat.node import Node, installed
from tests.compat.server import Place, serving


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with serving(tmp_path_factory.mktemp("certificate")) as place:
        yield place


@pytest.fixture(scope="session")
def node() -> Node:
    return installed()
