"""The ``vivavoce`` command: one file a subcommand. Only here and in ``server/app.py`` are settings read."""
