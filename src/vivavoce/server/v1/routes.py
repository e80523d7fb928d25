"""The HTTP addresses of the OpenAI API. The WebSocket at ``/v1/realtime`` stands beside them in ``app.py``."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vivavoce.server.operations import JSON, Content, Operation
from vivavoce.server.service import Service
from vivavoce.server.v1.calls import hang_up, place
from vivavoce.server.v1.client_secrets import Mint, Minted, mint
from vivavoce.server.v1.legacy import mint_session, mint_transcription, place_beta
from vivavoce.server.v1.plain import routes as plain
from vivavoce.server.v1.realtime import realtime_without_upgrade
from vivavoce.server.v1.telephone import Refer, Reject, accept, refer, reject

__all__ = ["ANSWER", "MINTED_FLAT", "OFFER", "OPERATIONS"]

SECRETS, CALLS = "/v1/realtime/client_secrets", "/v1/realtime/calls"
FLAT = Content(dict[str, Any])
OFFER = Content(None, ("application/sdp", "multipart/form-data"))
ANSWER = (Content(None, ("application/sdp",), 201),)
DONE = (Content(None, ()),)


class Key(msgspec.Struct):
    value: str
    expires_at: int


class FlatSession(msgspec.Struct):
    """A session as the beta writes it, and the key that opens it."""

    id: str
    client_secret: Key


MINTED_FLAT = (Content(FlatSession),)


async def _realtime(_service: Service, request: Request) -> Response:
    return await realtime_without_upgrade(request)


OPERATIONS = [
    Operation(
        method="GET", path="/v1/realtime", name="realtime", handle=_realtime, answers=(Content(None, (), 101),),
        says="A session over a WebSocket (subprotocols `realtime`, `vivavoce.v1`)", refusals=(426,),
    ),
    Operation(
        method="POST", path="/v1/realtime", name="placeCallBeta", handle=place_beta, key="connect", body=OFFER,
        answers=ANSWER, says="A WebRTC call, as the beta placed it",
    ),
    Operation(
        method="POST", path=SECRETS, name="mint", handle=mint, key="mint", body=Content(Mint),
        answers=(Content(Minted),), says="An ephemeral key for a page",
    ),
    Operation(
        method="POST", path="/v1/realtime/sessions", name="mintSession", handle=mint_session, key="mint", body=FLAT,
        answers=MINTED_FLAT, says="An ephemeral key, as the beta minted it",
    ),
    Operation(
        method="POST", path="/v1/realtime/transcription_sessions", name="mintTranscription",
        handle=mint_transcription, key="mint", body=FLAT, answers=MINTED_FLAT,
        says="An ephemeral key for transcription, as the beta minted it",
    ),
    Operation(
        method="POST", path=CALLS, name="placeCall", handle=place, key="connect", body=OFFER, answers=ANSWER,
        says="A WebRTC call: an SDP offer in, the answer out, the call's id at the end of `Location`",
    ),
    Operation(
        method="POST", path=CALLS + "/{call_id}/hangup", name="hangUp", handle=hang_up, key="connect", answers=DONE,
        says="End a call",
    ),
    Operation(
        method="POST", path=CALLS + "/{call_id}/accept", name="acceptCall", handle=accept, key="connect", body=FLAT,
        answers=DONE, says="Accept a telephone call; there are none here",
    ),
    Operation(
        method="POST", path=CALLS + "/{call_id}/reject", name="rejectCall", handle=reject, key="connect",
        body=Content(Reject), answers=DONE, says="Reject a telephone call; there are none here",
    ),
    *plain.OPERATIONS,
    Operation(
        method="POST", path=CALLS + "/{call_id}/refer", name="referCall", handle=refer, key="connect",
        body=Content(Refer, (JSON,)), answers=DONE, says="Pass on a telephone call; there are none here",
    ),
]  # fmt: skip
