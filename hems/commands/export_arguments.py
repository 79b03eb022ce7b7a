"""The arguments of `hems export`; light, since every command loads it."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

STEPS: Final = ("minute", "quarter-hour", "hour", "day", "month")
"""As in `hems.cem.civil.Grain`, which takes longer to load."""


def add_to(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    run: Callable[[argparse.Namespace], int],
) -> None:
    """Add `export` to the command line.

    Args:
        commands: Where sub-commands are added.
        run: What it does.
    """
    export = commands.add_parser("export", help="what was measured, as a file")
    export.add_argument("what", choices=["history"], help="what is exported")
    export.add_argument("file", metavar="FILE", help="where to; - for stdout")
    day = "day or time of the home, such as 2026-06-01 or 2026-06-01T13:00"
    export.add_argument("--from", dest="start", type=_when, required=True, help=day)
    export.add_argument("--to", dest="end", type=_when, required=True, help="the day after")
    export.add_argument("--step", choices=STEPS, default="day", help="length of each row's time")
    export.add_argument(
        "--format",
        choices=["csv", "parquet"],
        default="csv",
        help="of the file; parquet needs the extra of that name",
    )
    export.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the home's configuration; else hems.toml of HEMS_HOME, here, or the package's",
    )
    export.set_defaults(run=run)


def _when(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day or time") from error
