"""``/api/agents`` and ``/api/voices``: what a session may be asked for with. Models are at ``/v1/models``, and here."""

from typing import Any

import msgspec

from vivavoce.server.api.asking import Asked, operation
from vivavoce.server.api.config import agent_shown
from vivavoce.server.operations import Content, Operation
from vivavoce.server.service import Service
from vivavoce.server.v1.plain.listing import Models, models

__all__ = ["OPERATIONS"]


class AgentList(msgspec.Struct):
    data: list[dict[str, Any]]
    default: str | None
    """Of everybody who names none."""


class Voice(msgspec.Struct):
    name: str


class VoiceList(msgspec.Struct):
    data: list[Voice]
    default: str | None


async def list_agents(service: Service, asked: Asked[None, None]) -> AgentList:
    agents = service.options.agents
    shown = [agent_shown(service, agent) for agent in agents]
    return AgentList(shown, agents.default.name if agents.default else None)


async def list_voices(service: Service, asked: Asked[None, None]) -> VoiceList:
    """Those that whoever answers is known to have; others may be asked for too."""
    return VoiceList([Voice(name) for name in service.options.voices], service.options.voice)


OPERATIONS = [
    operation("GET", "/api/agents", list_agents, "Agents", answers=AgentList),
    operation("GET", "/api/voices", list_voices, "Voices of whoever answers", answers=VoiceList),
    Operation(
        method="GET", path="/api/models", name="listModels", handle=models, key="connect", answers=(Content(Models),),
        refusals=(502, 504), says="Models of whoever answers; the same as /v1/models",
    ),
]  # fmt: skip
