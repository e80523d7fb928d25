"""Where the server listens, and how people reach it."""

from dataclasses import dataclass
from pathlib import Path

from vivavoce.cli import values
from vivavoce.cli.settings.spec import setting

__all__ = ["Address"]

_GROUP = "Address"


@dataclass(frozen=True, kw_only=True)
class Address:
    host: str = setting(
        "127.0.0.1", values.host, _GROUP,
        "Address to listen on; one that other machines reach, such as 0.0.0.0, only once keys are demanded.",
    )  # fmt: skip
    port: int = setting(
        7171, values.number(0, 65535, "a port"), _GROUP, "Port to listen on; 0 picks a free one.", metavar="N"
    )
    https: bool = setting(
        False, values.switch, _GROUP, "Serve https, with a self-signed certificate unless one is given."
    )
    cert: Path | None = setting(None, values.existing_file, _GROUP, "Certificate (PEM) for https.", metavar="FILE")
    key: Path | None = setting(
        None, values.existing_file, _GROUP, "Private key (PEM) of the certificate.", metavar="FILE"
    )

    public_url: str | None = setting(
        None, values.http_url, _GROUP,
        "How people reach this server, where a proxy stands in front: https://voice.example.", metavar="URL",
    )  # fmt: skip
    trusted_proxies: tuple[str, ...] = setting(
        (), values.addresses, _GROUP,
        "Address of a proxy in front, believed in what it says of its clients; may be repeated.",
        metavar="IP", option="trusted-proxy",
    )  # fmt: skip
