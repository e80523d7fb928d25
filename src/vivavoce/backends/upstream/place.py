"""Where an upstream's API is, and how a key is shown to it: OpenAI's way, or Azure's."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["Flavour", "Place"]

Flavour = Literal["auto", "openai", "azure"]

_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_AZURE_BASE = "/openai/v1"


@dataclass(frozen=True, slots=True)
class Place:
    """``url`` is the API's base, without a slash at its end: ``https://api.openai.com/v1``, or
    ``https://NAME.openai.azure.com/openai/v1``. On Azure a model is the name of a deployment."""

    url: str
    azure: bool = False

    @classmethod
    def of(cls, url: str, flavour: Flavour = "auto") -> "Place":
        """Azure's resources are known by their host names, and may be given without the path."""
        url, parts = url.rstrip("/"), urlsplit(url)
        azure = flavour == "azure" or (flavour == "auto" and (parts.hostname or "").endswith(_AZURE_HOSTS))
        if azure and parts.path.rstrip("/") in ("", "/openai"):
            url = f"{parts.scheme}://{parts.netloc}{_AZURE_BASE}"
        return cls(url, azure)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def shown(self, key: str) -> dict[str, str]:
        """The headers that show a standard key."""
        if not key:
            return {}
        return {"api-key": key} if self.azure else self.shown_secret(key)

    def shown_secret(self, secret: str) -> dict[str, str]:
        """The headers that show an ephemeral key (``ek_…``)."""
        return {"Authorization": f"Bearer {secret}"}
