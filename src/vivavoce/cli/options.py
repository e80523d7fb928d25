"""Every setting as an option of a command, in sections; :mod:`vivavoce.cli.settings` has the list.

The options check nothing: a value is judged in one place, wherever it comes from.
"""

from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from vivavoce.cli.settings import FILE, Settings, SettingsError, Spec, load
from vivavoce.cli.values import switch

__all__ = ["EPILOG", "SectionedCommand", "read", "settings_options", "some_settings"]

EPILOG = f"""\
Each of these can stand in {FILE} as well (port = 8000, data_dir = "…") and in the environment, .env.local or .env
(VIVAVOCE_PORT, VIVAVOCE_DATA_DIR). An option wins over the environment, .env.local over .env, and both over the file.
"""

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class _SettingOption(click.Option):
    """Knows its section of the help."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class SectionedCommand(click.Command):
    """Shows the options of settings under their groups, all others at the end."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                sections.setdefault(getattr(parameter, "section", "Other"), []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def settings_options(function: AnyFunction) -> AnyFunction:
    """Gives a command all settings as options, and ``--config``. :func:`read` takes what it is then called with."""
    return some_settings(*(each.name for each in fields(Settings) if "spec" in each.metadata))(function)


def some_settings(*names: str) -> Callable[[AnyFunction], AnyFunction]:
    """Gives a command the settings of these names alone as options, and ``--config``."""

    def decorate(function: AnyFunction) -> AnyFunction:
        function = click.option("--config", metavar="FILE", help=f"Read this instead of ./{FILE}.")(function)
        for each in reversed([each for each in fields(Settings) if each.name in names]):
            function = _option(each)(function)
        return function

    return decorate


def read(options: dict[str, Any], environ: dict[str, str]) -> Settings:
    """Settings, or the end of the command with the words why not (exit status 2)."""
    config = options.pop("config")
    given = {name: value for name, value in options.items() if value not in (None, ())}
    try:
        settings = load(given, directory=Path.cwd(), environ=environ, config=Path(config) if config else None)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)
    return settings


def _option(each: "Field[Any]") -> Callable[[AnyFunction], AnyFunction]:
    spec: Spec = each.metadata["spec"]
    name = "--" + (spec.option or each.name.replace("_", "-"))
    shape: dict[str, Any] = {"metavar": spec.metavar}
    if spec.parse is switch:
        name, shape = f"{name}/--no-{name[2:]}", {}
    if each.default == ():
        shape["multiple"] = True
    return click.option(
        name,
        each.name,
        cls=_SettingOption,
        section=spec.group,
        default=None,
        help=spec.help + _facts(each, spec),
        **shape,
    )


def _facts(each: "Field[Any]", spec: Spec) -> str:
    default = getattr(Settings(), each.name)
    facts = [f"also {' or '.join(spec.env)}"] if spec.env else []
    if isinstance(default, str | int | Path) and default is not False:
        facts.append(f"default: {default}")
    return f"  [{'; '.join(facts)}]" if facts else ""
