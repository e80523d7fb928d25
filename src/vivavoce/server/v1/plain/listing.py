"""``GET /v1/models``: what may be asked for by name. Agents are models too, as ``agent:NAME``."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vivavoce.backends.interface import BackendError
from vivavoce.backends.plain import Passes, Thinks
from vivavoce.server.service import Service
from vivavoce.server.v1.plain.asking import BY_MODEL
from vivavoce.server.v1.plain.passed_chat import whole
from vivavoce.server.v1.plain.visit import Visit, visited

__all__ = ["Model", "Models", "model", "models"]


class Model(msgspec.Struct):
    id: str
    created: int = 0
    object: str = "model"
    owned_by: str = "vivavoce"


class Models(msgspec.Struct):
    data: list[Model]
    object: str = "list"


async def models(service: Service, request: Request) -> Response:
    return await visited(_models, service, request)


async def model(service: Service, request: Request) -> Response:
    return await visited(_model, service, request)


async def _models(visit: Visit, request: Request) -> Response:
    return JSONResponse(msgspec.to_builtins(Models(await _known(visit.service))))


async def _model(visit: Visit, request: Request) -> Response:
    name = request.path_params["model"]
    for each in await _known(visit.service):
        if each.id == name:
            return JSONResponse(msgspec.to_builtins(each))
    words = f"The model '{name[:64]}' does not exist here; GET /v1/models names those that do."
    raise BackendError.of(404, words, code="model_not_found", type="invalid_request_error")


async def _known(service: Service) -> list[Model]:
    agents = [Model(BY_MODEL + agent.name) for agent in service.options.agents]
    backend = service.backend
    if isinstance(backend, Passes):
        return [*agents, *await _theirs(backend)]
    names = [service.options.model]
    if isinstance(backend, Thinks):
        senses = backend.senses
        names += [senses.llm.name, senses.stt.name, senses.tts.name]
    return [*agents, *(Model(name) for name in dict.fromkeys(names))]


async def _theirs(backend: Passes) -> list[Model]:
    async with backend.passed("GET", "/models", upstream_key=None) as passed:
        try:
            return msgspec.json.decode(await whole(passed), type=Models).data
        except msgspec.DecodeError:
            raise BackendError.of(502, "The upstream's list of models cannot be read.") from None
