"""Items that were said in a session that is no more, as the wire showed them, for one that goes on with them."""

from collections.abc import Mapping
from typing import Any

from vivavoce.protocol.session.items import Content, Item

__all__ = ["restored"]

_HEAD = {"id", "object", "type", "status", "role", "content"}
_NOT_SAID = {"mcp_list_tools", "mcp_approval_request", "mcp_approval_response"}
"""Of the session itself, which asks its servers anew; what waits for a word of the client's waits no longer."""


def restored(shown: Mapping[str, Any]) -> Item | None:
    """The item, without its sound: nobody can cut or retrieve that any more. None for what is not said again."""
    kind, content = str(shown.get("type")), shown.get("content")
    if kind in _NOT_SAID:
        return None
    parts = [_content(part) for part in content] if isinstance(content, list) else []
    fields = {name: value for name, value in shown.items() if name not in _HEAD}
    status = "completed" if shown.get("status") == "completed" else "incomplete"
    return Item(str(shown["id"]), kind, status, str(shown.get("role") or ""), parts, fields)


def _content(part: Mapping[str, Any]) -> Content:
    """Words that were never recognised stay unknown to the client, and nobody waits for them."""
    match part.get("type"):
        case "input_image":
            url, detail = str(part.get("image_url") or ""), str(part.get("detail") or "auto")
            return Content("input_image", image_url=url, detail=detail)
        case "input_audio":
            words = part.get("transcript")
            return Content("input_audio", words=words or "", shown=words is not None)
        case "output_audio":
            return Content("output_audio", words=part.get("transcript") or "")
        case kind:
            return Content(str(kind), words=part.get("text") or "")
