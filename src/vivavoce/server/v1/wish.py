"""From what came with a request to the session that it asks for: key, query and body each have a say."""

from collections.abc import Mapping
from typing import Any

from vivavoce.access.principal import Principal
from vivavoce.backends.interface import Kind, SessionRequest
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.overlay import laid_over
from vivavoce.server.service import Service

__all__ = ["wish"]

MAX_MODEL = 256
"""Characters in a model's name."""


def wish(
    service: Service,
    principal: Principal,
    query: Mapping[str, str],
    session: Mapping[str, Any] | None = None,
    *,
    media: bool = False,
) -> SessionRequest:
    """``session`` is the one in the body. It is laid over the one that the key stands for; the model of either
    is worth more than the query's. Raises :class:`ProtocolError`."""
    granted = principal.grant.config if principal.grant else {}
    config = laid_over(granted, session or {})
    kind: Kind = "transcription" if _kind(config, query) == "transcription" else "realtime"
    model = config.get("model") or query.get("model") or service.options.model
    if not isinstance(model, str) or len(model) > MAX_MODEL:
        raise ProtocolError("invalid_value", "A model's name is a short text.", param="session.model")
    return SessionRequest(service.new_id("sess_"), model, kind, config or None, media)


def _kind(config: Mapping[str, Any], query: Mapping[str, str]) -> Any:
    return config.get("type", query.get("intent"))
