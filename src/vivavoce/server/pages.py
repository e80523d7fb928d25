"""The page at ``/`` and its files beside it, flat: ``/orb.js`` is what other sites embed."""

import os
from os import PathLike

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["Pages"]

MAX_AGE = 300
"""Seconds a browser may use a file without asking; after that the ETag spares the bytes."""

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".map": "application/json"}
"""Those that the machine's own table may get wrong, and ``nosniff`` would then block."""


class Pages(StaticFiles):
    def file_response(
        self, full_path: str | PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        suffix = os.path.splitext(full_path)[1]
        if suffix in _TYPES and "content-type" in response.headers:
            response.headers["content-type"] = f"{_TYPES[suffix]}; charset=utf-8"
        # The page names its files without hashes, so it alone has to be fresh each time.
        response.headers["cache-control"] = "no-cache" if suffix == ".html" else f"max-age={MAX_AGE}"
        if suffix != ".html":
            response.headers["cross-origin-resource-policy"] = "cross-origin"  # it is there to be embedded
        return response
