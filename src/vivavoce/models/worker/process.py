"""A worker's side: ``python -m some_module`` whose ``main`` calls :func:`serve`.

Stdin and stdout carry frames; whatever else is printed goes to stderr, and from there to the server's
log. A worker ignores Ctrl-C, which is its parent's to handle, and ends as soon as its stdin does, in
the middle of a job too: it never outlives the server.
"""

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable

from vivavoce.models.interfaces import ModelError
from vivavoce.models.worker.wire import HEADER, Kind, frame

__all__ = ["Emit", "Handler", "serve"]

Emit = Callable[[bytes], bool]
"""Sends one chunk of the reply. False once nobody wants the rest."""
Handler = Callable[[bytes, Emit], None]
"""Does one request. What it raises fails that request alone; a :class:`ModelError`'s words reach the user."""


def serve(prepare: Callable[[], Handler]) -> None:
    """Load the model with ``prepare``, then do one request after the other until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = _take_stdout()
    try:
        handler = prepare()
    except ModelError as error:
        send(frame(Kind.FAILED, payload=str(error).encode()))
        return
    requests = _Requests()
    threading.Thread(target=requests.read, daemon=True).start()
    send(frame(Kind.READY))
    while True:
        job, payload = requests.next()
        send(_do(handler, job, payload, requests, send))


def _do(handler: Handler, job: int, payload: bytes, requests: "_Requests", send: Callable[[bytes], None]) -> bytes:
    def emit(chunk: bytes) -> bool:
        wanted = requests.cancelled != job
        if wanted:
            send(frame(Kind.CHUNK, job, chunk))
        return wanted

    try:
        handler(payload, emit)
    except ModelError as error:
        return frame(Kind.FAILED, job, str(error).encode())
    except Exception as error:
        traceback.print_exc()
        return frame(Kind.FAILED, job, f"something went wrong ({type(error).__name__}); the log says more.".encode())
    return frame(Kind.DONE, job)


def _take_stdout() -> Callable[[bytes], None]:
    """Stdout for frames alone: from here on, a library that prints there prints to stderr."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(data: bytes) -> None:
        ours.write(data)
        ours.flush()

    return send


class _Requests:
    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self.cancelled = 0
        """The latest job that nobody waits for any more."""

    def next(self) -> tuple[int, bytes]:
        return self._waiting.get()

    def read(self) -> None:
        stdin = sys.stdin.buffer
        while header := stdin.read(HEADER.size):
            kind, job, length = HEADER.unpack(header)
            payload = stdin.read(length)
            if kind == Kind.CANCEL:
                self.cancelled = job
            else:
                self._waiting.put((job, payload))
        os._exit(0)  # the server is gone; the model may be deep in C
