"""Whether a host is this machine: what is trusted without a key or a certificate hangs on it."""

import ipaddress

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """By its very name or address; nothing is looked up, since a name server may lie."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
