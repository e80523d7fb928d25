"""``accept``, ``reject`` and ``refer``: what is done to an incoming telephone call (H-23, H-25, H-26).

No call here comes by telephone, so after the checks that the API makes each is refused as it would be there for
a call that is no telephone call.
"""

from typing import Any, NoReturn

from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.shape import Shape, check
from vivavoce.server.errors import CallNotFound
from vivavoce.server.service import Service, bearer
from vivavoce.server.v1.client_secrets import read_json

__all__ = ["Refer", "Reject", "accept", "refer", "reject"]


class Reject(Shape):
    status_code: int | UnsetType = UNSET


class Refer(Shape):
    target_uri: str


async def accept(service: Service, request: Request) -> Response:
    await _find(service, request)
    body = await read_json(request)
    if not isinstance(body, dict) or "type" not in body:
        raise ProtocolError("missing_required_parameter", "Missing required parameter: 'type'.", param="type")
    _refuse("accepted")


async def reject(service: Service, request: Request) -> Response:
    await _find(service, request)
    check(await read_json(request), Reject)
    _refuse("rejected")


async def refer(service: Service, request: Request) -> Response:
    await _find(service, request)
    body: Any = check(await read_json(request), Refer)
    if not body.target_uri.startswith(("tel:", "sip:", "sips:")):
        raise ProtocolError("invalid_value", "'target_uri' is a tel: or sip: address.", param="target_uri")
    _refuse("referred")


async def _find(service: Service, request: Request) -> None:
    principal = await service.gate.enter_with_standard_key(bearer(request))
    live = service.registry.find(request.path_params["call_id"])
    if live is None or not principal.may_control(live.owner):
        raise CallNotFound


def _refuse(what: str) -> NoReturn:
    raise ProtocolError("not_a_sip_call", f"Only a telephone (SIP) call can be {what}; this is a WebRTC call.")
