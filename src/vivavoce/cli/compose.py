"""From settings to whoever answers: here, and nowhere else, models and backends meet. Each is imported when chosen."""

import asyncio
import gc
import importlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vivavoce.access.prices import Prices
from vivavoce.backends.interface import Backend
from vivavoce.cli.presets import picked
from vivavoce.cli.settings import Settings
from vivavoce.models import catalog
from vivavoce.tools.toolbox import Toolbox

__all__ = ["Answerer", "answerer", "prices", "senses"]

OPENAI_VOICES = ("marin", "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse")
"""Of its Realtime models."""


@dataclass(frozen=True, slots=True)
class Answerer:
    backend: Backend
    voices: Sequence[str] = ()
    """That it is known to have."""
    warm: Callable[[], Awaitable[None]] | None = None
    """Loads what the first session would wait for."""


def answerer(settings: Settings) -> Answerer:
    """Raises ``ModelError`` for a model that is not there."""
    return _upstream(settings) if settings.answers == "upstream" else _builtin(settings)


def senses(settings: Settings) -> catalog.Models:
    """The models of this process; nothing is started yet. Raises ``ModelError``."""
    directory, language = settings.data_dir / "models", settings.speech_language
    return catalog.build(
        clock=_local_time, turn=settings.end_of_turn, directory=directory, language=language, **picked(settings).chosen
    )


def toolbox(settings: Settings) -> Toolbox:
    """The tools that this server runs. Raises ``LoadError``."""
    return Toolbox.load(settings.tools, settings.agents, settings.tools_dir)


def prices(settings: Settings) -> Prices:
    """What runs on this machine is free, unless the settings say otherwise."""
    return Prices.published(settings.prices) if settings.answers == "upstream" else Prices(settings.prices, free=True)


def _upstream(settings: Settings) -> Answerer:
    from vivavoce.backends.upstream.backend import UpstreamBackend

    session: dict[str, Any] = {}
    if settings.instructions:
        session["instructions"] = settings.instructions
    if settings.voice:
        session["audio"] = {"output": {"voice": settings.voice}}

    async def warm() -> None:
        _settle()

    return Answerer(
        UpstreamBackend(
            settings.upstream_url,
            settings.upstream_key,
            key_name=settings.upstream_key_env,
            session=session,
            flavour=settings.upstream_kind,
            webrtc=settings.webrtc,
        ),
        OPENAI_VOICES,
        warm,
    )


def _builtin(settings: Settings) -> Answerer:
    from vivavoce.backends.builtin import Builtin
    from vivavoce.client.allowlist import AllowList
    from vivavoce.client.mcp import McpClient
    from vivavoce.protocol.session.config import Defaults

    models = senses(settings)
    given = Defaults()
    defaults = replace(
        given, instructions=settings.instructions or given.instructions, voice=settings.voice or given.voice
    )
    mcp = McpClient(AllowList(settings.allow_mcp))

    async def warm() -> None:
        try:
            await models.warm()
        finally:
            await mcp.warm()
            if settings.transport != "websocket":  # half a second, in which the first caller's words would be lost
                await asyncio.to_thread(importlib.import_module, "vivavoce.transports.webrtc.call")
            _settle()

    scratch = settings.data_dir / "scratch"
    backend = Builtin(models, time.time, defaults, mcp, scratch, early=settings.speculation)
    return Answerer(backend, models.tts.voices(), warm)


def _settle() -> None:
    """All that is loaded stays: to look through it for garbage takes 80 ms of somebody's sentence."""
    gc.collect()
    gc.freeze()


def _local_time() -> datetime:
    return datetime.now().astimezone()
