"""A worker for the tests of the pool: it does what the request says."""

import os
import time

from vivavoce.models.interfaces import ModelError
from vivavoce.models.worker.process import Emit, Handler, serve


def handle(request: bytes, emit: Emit) -> None:
    order, _, rest = request.decode().replace("$PID", str(os.getpid())).partition(" ")
    match order:
        case "say":
            for word in rest.split():
                emit(word.encode())
        case "env":
            emit(os.environ.get(rest, "").encode())
        case "print":
            print(rest, flush=True)
        case "flood":
            while emit(bytes(100_000)):
                pass
        case "deaf":
            emit(b"busy")
            time.sleep(3600)
        case "die":
            os._exit(3)
        case "refuse":
            raise ModelError(rest)
        case _:
            raise ValueError(rest)


def prepare() -> Handler:
    return handle


if __name__ == "__main__":
    serve(prepare)
