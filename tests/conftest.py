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


@pytest.fixture(autouse=True)
def _some_are_alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of tests on several cores, one that is marked ``realtime`` has the machine to itself: it speaks and hears as time
    passes. Who waits for that keeps the door, so that others come in after it, and nobody waits for ever."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    place = tmp_path_factory.getbasetemp().parent  # that of all workers
    alone = request.node.get_closest_marker("realtime") is not None
    with (place / "door").open("w") as door, (place / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
