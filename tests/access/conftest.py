"""A gate for each test, and all that it asks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.access import House


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    with ExitStack() as stack:

        def make(**options: Any) -> House:
            house = House(**options)
            stack.callback(house.close)
            return house

        yield make
