"""The HTTP addresses that are our own."""

from vivavoce.server.api import documents
from vivavoce.server.api.config import config
from vivavoce.server.operations import Operation

__all__ = ["OPERATIONS"]

OPERATIONS = [
    Operation(
        method="GET", path="/api/config", name="config", handle=config,
        says="What a page needs to know before its first click",
    ),
    *documents.OPERATIONS,
]  # fmt: skip
