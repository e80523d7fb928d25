"""The built-in engine as a backend: everything in this process, no key, no download."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from vivavoce.backends.history import History
from vivavoce.backends.interface import SessionRequest
from vivavoce.engine.ids import new_ids
from vivavoce.engine.made import Discarded
from vivavoce.engine.mcp import McpGateway
from vivavoce.engine.rounds import Rounds
from vivavoce.engine.senses import Senses
from vivavoce.engine.session import EngineSession
from vivavoce.engine.work import House
from vivavoce.protocol.frame import Line
from vivavoce.protocol.session import Session
from vivavoce.protocol.session import config as configs
from vivavoce.protocol.session.config import Config, Defaults, Settings
from vivavoce.protocol.session.restoring import restored
from vivavoce.protocol.session.session import LONGEST_SECONDS

__all__ = ["Builtin", "Closable"]


class Closable(Senses, Protocol):
    async def close(self) -> None: ...


class Builtin:
    """A :class:`Backend`. ``wall`` gives Unix seconds, for ``expires_at``; ``scratch`` is a directory for what a long
    session need not hold in memory."""

    name = "the built-in engine"
    keeps_time = True

    def __init__(
        self,
        senses: Closable,
        wall: Callable[[], float],
        defaults: Defaults | None = None,
        mcp: McpGateway | None = None,
        scratch: Path | None = None,
        *,
        early: bool = True,
    ) -> None:
        self.discarded = Discarded()
        """What all sessions have made for nothing, since the start."""
        self._house = House(senses=senses, mcp=mcp, scratch=scratch, discarded=self.discarded, early=early)
        self._senses, self._wall, self._defaults = senses, wall, defaults or Defaults()
        self._rounds = Rounds(senses.vad)

    @property
    def senses(self) -> Senses:
        return self._senses

    def describe(self, request: SessionRequest) -> dict[str, Any]:
        return configs.echo(self._config(request), self._settings(request))

    async def open(self, request: SessionRequest) -> Line:
        now = asyncio.get_running_loop().time()
        settings, config, media = self._settings(request), self._config(request), request.media
        history = request.history or History(None, ())
        core = Session(
            now,
            settings,
            config,
            new_ids(),
            media=media,
            forgiving=request.forgiving,
            conversation_id=history.conversation_id,
            said=[item for shown in history.items if (item := restored(shown))],
        )
        return await EngineSession.open(core, self._house, self._rounds, media=media)

    async def close(self) -> None:
        await self._senses.close()

    def _config(self, request: SessionRequest) -> Config:
        given = replace(self._defaults, eagerness="high") if request.forgiving else self._defaults
        if not request.config:
            return configs.defaults(request.kind, given)
        return configs.initial({"type": request.kind, **request.config}, given)

    def _settings(self, request: SessionRequest) -> Settings:
        return Settings(request.session_id, request.model, int(self._wall() + LONGEST_SECONDS), True)
