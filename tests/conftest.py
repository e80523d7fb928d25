"""For every test."""

import fcntl
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


@pytest.fixture
def in_real_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One at a time of the tests that use it, whatever runs on other cores: they speak and hear as time passes."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # that of all workers
    with (place / "in-real-time").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
