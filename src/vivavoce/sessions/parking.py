"""Which sessions wait for their clients, how many may, and what proves that a client is the one that was cut off.

A **resume token** is told to the client of a session, and each time it comes back a new one. The one before holds until
something came by the new connection: until then nobody knows whether the client has been told of the new one. Only
their hashes are kept. A token is good for the principal whose session it is, and for nobody else.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from vivavoce.access.tokens import hash_of, new_key
from vivavoce.protocol.frame import Closed, Line
from vivavoce.sessions.berth import Berth, State
from vivavoce.sessions.live import Live

__all__ = ["PREFIX", "Parking"]

log = logging.getLogger(__name__)

PREFIX = "vvr_"
"""What a resume token begins with; 160 random bits follow."""
GIVEN_WAY = (1013, "This session waited for its client, and had to make room for others.")


class Parking:
    """A session waits ``seconds`` for its client; 0 ends it at once. At most ``limit`` wait: then whoever has most of
    them loses the oldest of theirs. ``hold`` is told of a session whose tokens have changed."""

    def __init__(
        self,
        *,
        seconds: float,
        limit: int,
        random: Callable[[int], bytes],
        hold: Callable[[Live], object] = lambda live: None,
    ) -> None:
        self.seconds, self._limit, self._random, self._hold = seconds, limit, random, hold
        self._parked: dict[str, Live] = {}
        """Those that wait, the oldest first."""
        self._by_token: dict[bytes, Live] = {}

    def __len__(self) -> int:
        return len(self._parked)

    def berth(self, live: Live, line: Line) -> Berth:
        """The client's line of a session that is about to run."""
        berth = Berth(line, self.seconds, partial(self._changed, live))
        live.berth = berth
        return berth

    def issue(self, live: Live, held: bytes | None = None) -> str:
        """A new token. ``held`` is the hash of the one that the client has for certain, which holds until something
        has come from it; by default that is the newest."""
        token = new_key(PREFIX, self._random)
        hash = hash_of(token)
        keep = [held] if held else live.tokens[-1:]
        self._drop(live, [old for old in live.tokens if old not in keep])
        live.tokens = [*keep, hash]
        self._by_token.update(dict.fromkeys(live.tokens, live))
        self._hold(live)
        return token

    def find(self, token: str, owner: str) -> Live | None:
        """Whose token it is, where that is a session of ``owner``'s."""
        live = self._by_token.get(hash_of(token))
        return live if live is not None and live.owner == owner else None

    def give_way(self, of: Callable[[Live], bool]) -> Live | None:
        """Ends the one of these that has waited longest."""
        live = next(filter(of, self._parked.values()), None)
        if live is not None:
            log.info("a parked session makes room: %s", live.id)
            del self._parked[live.id]
            live.end(Closed(*GIVEN_WAY))
        return live

    def _changed(self, live: Live, state: State) -> None:
        if state is State.PARKED:
            self._parked[live.id] = live
            log.info("parked session=%s for=%g s", live.id, self.seconds)
            if len(self._parked) > self._limit:
                most = Counter(each.owner for each in self._parked.values()).most_common(1)[0][0]
                self.give_way(lambda each: each.owner == most)
            return
        self._parked.pop(live.id, None)
        if state is State.OVER:
            self._drop(live, live.tokens)
        elif state is State.ATTACHED and len(live.tokens) > 1:
            self._drop(live, live.tokens[:-1])
            self._hold(live)

    def _drop(self, live: Live, hashes: Sequence[bytes]) -> None:
        for hash in hashes:
            self._by_token.pop(hash, None)
        live.tokens = [hash for hash in live.tokens if hash not in hashes]
