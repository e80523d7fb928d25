"""Every setting of the server, one section a file: what it is called, what it may be, where it is read from.

In rising order: the default, ``vivavoce.toml`` in the current directory (or ``--config FILE``), ``.env``,
``.env.local``, the environment, an option. A value that is wrong is refused with its name, the reason and its origin;
a variable that is nearly one of ours is warned of.
"""

from vivavoce.cli.settings.loading import load
from vivavoce.cli.settings.settings import Settings, specs
from vivavoce.cli.settings.sources import FILE
from vivavoce.cli.settings.spec import SettingsError, Spec

__all__ = ["FILE", "Settings", "SettingsError", "Spec", "load", "specs"]
