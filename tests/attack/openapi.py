"""The HTTP part of ``/v1`` and ``/api`` as an OpenAPI document: what may be sent, and what may be answered."""

from typing import Any

__all__ = ["document"]

ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
            "properties": {
                "message": {"type": "string", "minLength": 1, "maxLength": 10_000},
                "type": {"enum": ["invalid_request_error", "rate_limit_error", "server_error", "insufficient_quota"]},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
EXPIRY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"anchor": {"const": "created_at"}, "seconds": {"type": "integer", "minimum": 10, "maximum": 7200}},
}
SESSION = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["realtime", "transcription"]},
        "model": {"type": "string", "minLength": 1, "maxLength": 300},
        "instructions": {"type": "string"},
        "output_modalities": {"type": "array", "items": {"enum": ["text", "audio"]}},
        "tools": {"type": "array", "items": {"type": "object"}},
        "tool_choice": {"type": ["string", "object"]},
        "max_output_tokens": {"type": ["integer", "string"]},
        "audio": {
            "type": "object",
            "properties": {
                "input": {
                    "type": "object",
                    "properties": {
                        "format": {"type": "object"},
                        "turn_detection": {"type": ["object", "null"]},
                        "transcription": {"type": ["object", "null"]},
                    },
                },
                "output": {
                    "type": "object",
                    "properties": {"voice": {"type": ["string", "object"]}, "speed": {"type": "number"}},
                },
            },
        },
    },
}
MINT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "expires_after": {"anyOf": [EXPIRY, {"type": "null"}]},
        "session": {"anyOf": [SESSION, {"type": "null"}]},
        "agent": {"type": ["string", "null"]},
        "context": {},
        "share": {"type": ["string", "null"]},
        "apiKeys": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
    },
}
MINTED = {
    "type": "object",
    "required": ["value", "expires_at", "session"],
    "properties": {
        "value": {"type": "string", "pattern": "^ek_[a-z2-7]{32}$"},
        "expires_at": {"type": "integer"},
        "session": {"type": "object", "required": ["id", "object", "type"]},
    },
}
FLAT = {"type": "object", "properties": {"model": {"type": "string"}, "voice": {"type": "string"}}}
FLAT_MINTED = {
    "type": "object",
    "required": ["id", "client_secret"],
    "properties": {
        "client_secret": {
            "type": "object",
            "required": ["value", "expires_at"],
            "properties": {"value": {"type": "string"}, "expires_at": {"type": "integer"}},
        }
    },
}
ANY = {"type": "object"}
CONFIG = {"type": "object", "required": ["transport", "answers", "authentication"]}
CALL = [{"name": "call_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}]


def json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def operation(id: str, *, ok: dict[str, Any], body: Any = None, parameters: Any = ()) -> dict[str, Any]:
    refusals = {str(status): {"description": "no", "content": json(ERROR)} for status in (400, 401, 403, 404, 413, 429)}
    told: dict[str, Any] = {"operationId": id, "parameters": list(parameters), "responses": {**ok, **refusals}}
    if body is not None:
        told["requestBody"] = {"content": body}
    return told


def good(schema: Any, status: str = "200") -> dict[str, Any]:
    return {status: {"description": "yes", "content": json(schema)}}


def document() -> dict[str, Any]:
    empty = {"200": {"description": "done"}}
    answer = {"201": {"description": "an answer", "content": {"application/sdp": {"schema": {"type": "string"}}}}}
    offer = {"application/sdp": {"schema": {"type": "string", "pattern": "^v=0"}}}
    model = {"name": "model", "in": "query", "schema": {"type": "string"}}
    calls = "/v1/realtime/calls"
    posts: dict[str, dict[str, Any]] = {
        "/v1/realtime/client_secrets": operation("mint", ok=good(MINTED), body=json(MINT)),
        "/v1/realtime/sessions": operation("session", ok=good(FLAT_MINTED), body=json(FLAT)),
        "/v1/realtime/transcription_sessions": operation("transcription", ok=good(FLAT_MINTED), body=json(FLAT)),
        calls: operation("place", ok=answer, body=offer, parameters=[model]),
        "/v1/realtime": operation("place_beta", ok=answer, body=offer, parameters=[model]),
        calls + "/{call_id}/hangup": operation("hang_up", ok=empty, parameters=CALL),
        calls + "/{call_id}/reject": operation("reject", ok=empty, parameters=CALL, body=json(ANY)),
        calls + "/{call_id}/accept": operation("accept", ok=empty, parameters=CALL, body=json(SESSION)),
        calls + "/{call_id}/refer": operation("refer", ok=empty, parameters=CALL, body=json(ANY)),
        "/api/realtime/client-secret": operation("mint_alias", ok=good(MINTED), body=json(MINT)),
        "/api/realtime/handshake": operation("place_alias", ok=answer, body=offer),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vivavoce", "version": "1"},
        "paths": {
            "/api/config": {"get": operation("config", ok=good(CONFIG))},
            **{path: {"post": told} for path, told in posts.items()},
        },
    }
