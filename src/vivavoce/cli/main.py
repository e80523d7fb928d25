"""The command ``vivavoce``. A subcommand's module is imported when it is asked for, so that ``--help`` is quick."""

import importlib
import os
from typing import Final

import click

from vivavoce import __version__

__all__ = ["main"]

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy: for small matrices, threads only spin

COMMANDS: Final = {
    "serve": "Serve the page and the API.",
    "talk": "Talk to a Realtime server from the terminal.",
    "doctor": "Check this machine, the models and the upstream.",
    "models": "Show the models of each sense; fetch their files.",
    "keys": "Make, show and revoke API keys.",
    "share": "Make, show and revoke share links.",
    "sessions": "Show, export and delete what was said; show what it cost.",
}
"""Name and one line; ``vivavoce.cli.NAME`` has the rest, as ``command``."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"vivavoce.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="vivavoce %(version)s")
def main() -> None:
    """Voice mode for any app: one tag in the page, one Python process behind it."""
