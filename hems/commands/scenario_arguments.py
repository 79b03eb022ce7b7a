"""Arguments of `hems scenario`; what plays them is loaded when one is played."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

LIBRARY: Final = Path("tests/scenarios")
"""Where scenarios are looked for by name."""


def add_to(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    run: Callable[[argparse.Namespace], int],
) -> None:
    """Add the sub-command to the command line."""
    scenario = commands.add_parser("scenario", help="play scenarios on accelerated time")
    scenario.add_argument("name", help="list, all, a name in the library, or a file")
    scenario.add_argument(
        "--library", type=Path, default=LIBRARY, metavar="DIR", help="where the scenarios are"
    )
    scenario.add_argument("--report", type=Path, metavar="DIR", help="write PNG and HTML there")
    scenario.add_argument("--seed", type=int, help="of kettles, clouds and draws")
    scenario.add_argument("--verbose", action="store_true", help="log what the hub says")
    scenario.set_defaults(run=run)
