"""The running process: its data, its limits, its log."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import platformdirs

from vivavoce.access.agents import Kept
from vivavoce.cli import values
from vivavoce.cli.settings.spec import Spec, setting

__all__ = ["Running"]

_GROUP = "Running"


def _data_dir() -> Path:
    return platformdirs.user_data_path("vivavoce", appauthor=False)


@dataclass(frozen=True, kw_only=True)
class Running:
    data_dir: Path = field(
        default_factory=_data_dir,
        metadata={"spec": Spec(values.directory, "Directory for everything written to disk.", _GROUP, metavar="DIR")},
    )
    database_url: str | None = setting(
        None, values.database, _GROUP, "Database in the place of the one in the data directory: postgresql://…",
        metavar="URL",
    )  # fmt: skip
    store: Kept = setting(
        "text", values.choice("off", "text", "audio"), _GROUP,
        "What is kept of sessions. off: no word of them. text: what was said. audio: recordings too. An agent may say "
        "otherwise.",
    )  # fmt: skip
    keep_days: int | None = setting(
        None, values.number(1, 36_500, "a number of days"), _GROUP,
        "Delete sessions, with their recordings, in which nothing was said for so many days; never without it.",
        metavar="N",
    )  # fmt: skip
    max_sessions: int | None = setting(
        None, values.number_or_auto(1, 10_000, "a number of sessions"), _GROUP,
        "Sessions at one time; one more is refused. auto, the default: as many as can be served without making them "
        "wait, which is measured, and at most 250.", metavar="N|auto",
    )  # fmt: skip
    park_seconds: int = setting(
        45, values.number(0, 3600, "a number of seconds"), _GROUP,
        "How long a session waits for a client that was cut off; 0 ends it at once.",
    )  # fmt: skip
    max_parked: int = setting(
        16, values.number(1, 10_000, "a number of sessions"), _GROUP, "Sessions that may wait so at one time."
    )
    open_metrics: bool = setting(
        False, values.switch, _GROUP, "Let programs on this machine read /metrics without a key."
    )
    drain_seconds: int = setting(
        10, values.number(0, 3600, "a number of seconds"), _GROUP, "How long answers may go on when the server stops."
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", values.choice("debug", "info", "warning", "error"), _GROUP, "How much to log."
    )
