"""How one setting is written down, beside its field of a section."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from vivavoce.cli import values

__all__ = ["SettingsError", "Spec", "setting", "specs_of"]


class SettingsError(Exception):
    """A setting that cannot be. The message is for the user: which, why, and where it was set."""


@dataclass(frozen=True, slots=True)
class Spec:
    """How one setting is written down. Its name is the field's: in the file as it is, as an option with dashes."""

    parse: values.Parse
    help: str
    group: str
    env: tuple[str, ...] = ()
    """Variables that set it, the first wins; ``VIVAVOCE_`` and the name where none is given."""
    metavar: str | None = None
    option: str | None = None
    """Its name as an option, where that differs."""

    def variables(self, name: str) -> tuple[str, ...]:
        """Those of the setting ``name``, the first wins."""
        return self.env or (f"VIVAVOCE_{name.upper()}",)


def setting(
    default: object,
    parse: values.Parse,
    group: str,
    help: str,
    *env: str,
    metavar: str | None = None,
    option: str | None = None,
) -> Any:
    """A field of a section, for ``dataclasses``."""
    return field(default=default, metadata={"spec": Spec(parse, help, group, env, metavar, option)})


def specs_of(section: type) -> Iterator[tuple[str, Spec]]:
    for each in fields(section):
        if "spec" in each.metadata:
            yield each.name, each.metadata["spec"]
