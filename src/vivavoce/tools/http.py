"""HTTP calls as tools: a method, an address with places for parameters, headers, and nowhere else to go.

Its owner wrote the host down, so the model cannot choose one; what it gives fills a place in the path or the query,
where it is escaped, or goes into the query (GET, DELETE) or a JSON body. A redirect is not followed.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import msgspec

from vivavoce.access.tool_table import OWN_LABEL, HttpSpec
from vivavoce.client.allowlist import Allowed, AllowList
from vivavoce.client.guard import CONNECT_SECONDS, GuardedTransport
from vivavoce.client.mcp_error import failure
from vivavoce.client.resolving import Resolve
from vivavoce.tools.interface import MAX_RESULT, Caller, LoadError, ServerTool, ToolError

__all__ = ["HttpCall", "load_http"]

_PLACE = re.compile(r"\{(\w+)\}")
_IN_QUERY = {"GET", "DELETE"}
_SAID = 300
"""Characters of what a refusal says of itself, for the model."""


def load_http(spec: HttpSpec, resolve: Resolve) -> ServerTool:
    """Raises :class:`LoadError`."""
    return ServerTool(
        name=spec.name,
        label=OWN_LABEL,
        description=spec.description,
        parameters=spec.parameters,
        call=HttpCall(spec, resolve),
        timeout=spec.timeout,
        filler=spec.filler,
    )


class HttpCall:
    """``resolve`` looks names up."""

    def __init__(self, spec: HttpSpec, resolve: Resolve) -> None:
        self._spec, self._resolve = spec, resolve
        self._places = tuple(_PLACE.findall(spec.url))
        self._allowed = AllowList([_entry(spec)])
        self._validator = _validator(spec)
        properties = spec.parameters.get("properties", {})
        for place in self._places:
            if place not in properties or place not in spec.parameters.get("required", ()):
                raise LoadError(f"{spec.at}: '{place}' stands in the address, so it has to be a required parameter.")

    async def __call__(self, arguments: dict[str, Any], caller: Caller) -> str:
        from jsonschema.exceptions import best_match

        if error := best_match(self._validator.iter_errors(arguments)):
            raise ToolError(f"The arguments are wrong: {error.message[:_SAID]}")
        spec, rest = self._spec, {name: arguments[name] for name in arguments if name not in self._places}
        address, body = self._address(arguments), None
        if spec.method in _IN_QUERY:
            address += f"{'&' if '?' in address else '?'}{urlencode(_flat(rest))}" if rest else ""
        else:
            body = msgspec.json.encode(rest)
        guard = GuardedTransport(self._allowed, self._resolve, who=f"'{spec.name}'", remedy="private = true")
        typed = {"Content-Type": "application/json"} if body is not None else {}
        timeout = httpx2.Timeout(spec.timeout, connect=CONNECT_SECONDS)
        async with httpx2.AsyncClient(transport=guard, timeout=timeout, trust_env=False) as http:
            try:
                response = await http.request(spec.method, address, headers={**typed, **spec.headers}, content=body)
            except httpx2.TransportError:
                if guard.refused:
                    raise guard.refused from None
                raise
        return self._read(response)

    def _address(self, arguments: Mapping[str, Any]) -> str:
        def put(place: re.Match[str]) -> str:
            value = _plain(arguments[place[1]])
            if value in ("", ".", ".."):
                raise ToolError(f"'{place[1]}' cannot be {value!r}.")
            return quote(value, safe="")

        return _PLACE.sub(put, self._spec.url)

    def _read(self, response: httpx2.Response) -> str:
        if response.is_redirect:
            raise failure("It leads somewhere else, which is not followed.", response.status_code, "http_error")
        kind = response.headers.get("Content-Type", "text/plain").partition(";")[0].strip()
        textual = kind.startswith("text/") or kind.endswith(("json", "xml"))
        if response.status_code >= 400:
            said = f": {response.text[:_SAID]}" if textual and response.text else ""
            raise failure(f"HTTP status {response.status_code}{said}", response.status_code, "http_error")
        if not textual and response.content:
            raise failure(f"It answers with {kind}, which is no text.", response.status_code, "http_error")
        return response.text[: MAX_RESULT + 1] or "Done."


def _entry(spec: HttpSpec) -> Allowed:
    """All below the fixed beginning of the address."""
    parts = urlsplit(spec.url)
    fixed = _PLACE.split(parts.path)[0]
    path = fixed if "{" not in parts.path else fixed.rpartition("/")[0]
    try:
        if "{" in parts.netloc:
            raise ValueError("has a parameter in its host, which would be the model's to choose")
        return Allowed.parse(f"{parts.scheme}://{parts.netloc}{path}{'#private' if spec.private else ''}")
    except ValueError as error:
        raise LoadError(f"{spec.at}.http: the address {error}.") from None


def _validator(spec: HttpSpec) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if spec.parameters.get("type") != "object":
        raise LoadError(f'{spec.at}.parameters is the JSON Schema of an object: type = "object", properties = …')
    try:
        Draft202012Validator.check_schema(spec.parameters)
    except SchemaError as error:
        raise LoadError(f"{spec.at}.parameters is no JSON Schema: {error.message}.") from None
    return Draft202012Validator(spec.parameters)


def _plain(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return msgspec.json.encode(value).decode()
    return str(value)


def _flat(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: _plain(value) for name, value in arguments.items() if value is not None}
