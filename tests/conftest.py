"""For every test."""

import logging
import os
from collections.abc import Iterator

import pytest

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the command does: the threads of small products only spin


@pytest.fixture(autouse=True)
def _the_log_stays_as_it_was() -> Iterator[None]:
    """A command that is run inside a test sets up the log of the whole process."""
    root, ours = logging.getLogger(), logging.getLogger("vivavoce")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
