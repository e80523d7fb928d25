"""Frames between the pool and a worker: kind, job number and length, then that many bytes.

To a worker go REQUEST and CANCEL. From it come one READY (or FAILED, job 0) when it has loaded its
model, then for each request any number of CHUNKs and exactly one DONE or FAILED (a message in words).
A cancelled job ends with one of them too, which is how the pool knows that the worker is free.
"""

import struct
from enum import IntEnum

__all__ = ["HEADER", "Kind", "frame"]

HEADER = struct.Struct("<BII")


class Kind(IntEnum):
    REQUEST = 1
    CANCEL = 2
    READY = 3
    CHUNK = 4
    DONE = 5
    FAILED = 6


def frame(kind: Kind, job: int = 0, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, job, len(payload)) + payload
