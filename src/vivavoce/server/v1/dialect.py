"""Which dialect a connection speaks, from what came with its request (H-43)."""

from collections.abc import Mapping

from vivavoce.access.principal import Principal
from vivavoce.protocol.dialects import Dialect
from vivavoce.protocol.dialects.beta import Beta, read_temperature
from vivavoce.protocol.dialects.choose import Undecided, asks_for_beta

__all__ = ["dialect_of"]


def dialect_of(principal: Principal, headers: Mapping[str, str], *, beta: bool = False) -> Dialect:
    """``beta``: something other than the key or a header has asked for it."""
    if principal.grant and principal.grant.beta is not None:
        return Beta(read_temperature(principal.grant.beta, "temperature"))
    return Beta() if beta or asks_for_beta(headers.get("openai-beta")) else Undecided()
