"""The tables of ``vivavoce.toml``, which have no option and no variable: agents, tools and prices."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vivavoce.access.agent_table import AgentError, read_agents
from vivavoce.access.agents import Agents
from vivavoce.access.prices import PRICE_FIELDS, Price
from vivavoce.access.tool_table import ToolError, ToolSpec, read_tool

__all__ = ["TABLES", "TableError", "agents", "prices", "tools"]

TABLES = ("agents", "prices", "tools")


class TableError(Exception):
    """What is wrong, by the name of the field."""


def agents(table: Any, environ: Mapping[str, str]) -> Agents:
    """``[agents.NAME]``. Raises :class:`TableError`."""
    if not isinstance(table, Mapping):
        raise TableError("agents is a table with one table for each agent: [agents.NAME].")
    try:
        return read_agents(table, environ)
    except AgentError as error:
        raise TableError(str(error)) from None


def tools(written: Any, environ: Mapping[str, str]) -> tuple[ToolSpec, ...]:
    """``tools = [...]`` or ``[[tools]]``: those that every session has. Raises :class:`TableError`."""
    if not isinstance(written, list):
        raise TableError('tools is a list, such as tools = ["weather.py:forecast"], or [[tools]] for each.')
    try:
        return tuple(read_tool(tool, f"tools[{index}]", environ) for index, tool in enumerate(written))
    except ToolError as error:
        raise TableError(str(error)) from None


def prices(table: Any) -> dict[str, Price]:
    """``[prices."MODEL"]``: US dollars for a million tokens, or for a minute. Raises :class:`TableError`."""
    if not isinstance(table, Mapping):
        raise TableError('prices is a table with one table for each model: [prices."MODEL"].')
    return {model: _price(f"prices.{model}", written) for model, written in table.items()}


def _price(at: str, written: Any) -> Price:
    if not isinstance(written, Mapping):
        raise TableError(f"{at} is a table of prices, such as {at}.audio_in = 32.0")
    for name, value in written.items():
        if name not in PRICE_FIELDS:
            raise TableError(f"{at}.{name} is no price; there are {', '.join(PRICE_FIELDS)}.")
        if not isinstance(value, int | float | Decimal) or isinstance(value, bool) or value < 0:
            raise TableError(f"{at}.{name} is not a number of US dollars.")
    return Price(**{name: Decimal(str(value)) for name, value in written.items()})
