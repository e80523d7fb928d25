"""``python -m vivavoce`` is the command ``vivavoce``."""

from vivavoce.cli.main import main

main(prog_name="vivavoce")
