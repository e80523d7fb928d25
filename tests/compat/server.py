"""One server for all the tests here, in a thread of its own, since its clients are other processes and other loops."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette

from tests.compat.words import PitchStt, WordsLlm
from tests.engine.support import senses
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import Backend
from vivavoce.cli.certificate import self_signed
from vivavoce.models.interfaces import Llm
from vivavoce.server.app import build
from vivavoce.server.options import ServerOptions
from vivavoce.server.run import Server, Serving, listen

__all__ = ["Place", "engine", "plain", "serving"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server is to be found: ``http`` and ``https`` are addresses without a path."""

    http: str
    https: str
    certificate: Path
    """What a client has to trust."""

    @property
    def other_origin(self) -> str:
        """The same server under another name: to a browser another site, one that the server knows."""
        return self.http.replace("127.0.0.1", "localhost")

    @property
    def base(self) -> str:
        return f"{self.http}/v1"

    @property
    def websocket_base(self) -> str:
        return self.base.replace("http", "ws", 1)

    @property
    def websocket(self) -> str:
        return f"{self.websocket_base}/realtime"


def plain(place: Place) -> Starlette:
    return build(ServerOptions(allow_origins=(place.other_origin,)), engine())


def engine(llm: Llm | None = None) -> Backend:
    return Builtin(senses(stt=PitchStt(), llm=llm or WordsLlm()), lambda: datetime.now(UTC).timestamp())


@contextmanager
def serving(directory: Path, app: Callable[[Place], Starlette] = plain) -> Iterator[Place]:
    """``directory`` is for the certificate."""
    certificate, key = self_signed(directory, frozenset({"127.0.0.1", "localhost"}), datetime.now(UTC))
    sockets = [listen("127.0.0.1", 0), listen("127.0.0.1", 0)]
    ports = [each.getsockname()[1] for each in sockets]
    place = Place(f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}", certificate)
    plain = Server(app(place), Serving(drain_seconds=0))
    secure = Server(app(place), Serving(drain_seconds=0, certificate=certificate, private_key=key))

    async def serve() -> None:
        await asyncio.gather(plain.serve(sockets[:1]), secure.serve(sockets[1:]))

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    try:
        yield place
    finally:
        plain.should_exit = secure.should_exit = True
        thread.join(20)
