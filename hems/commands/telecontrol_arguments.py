"""The arguments of `hems headend telecontrol`; light, as all of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name


def add_telecontrol(actions: "Commands") -> None:
    """Add telecontrol to `hems headend`."""
    parser = actions.add_parser(
        "telecontrol",
        help="look whether a mapping table for control centres (IEC 60870-5-104) is right",
        description="Says what each line maps, or each mistake by line and column.",
    )
    parser.add_argument("--check", type=Path, required=True, metavar="FILE", help="the table")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from hems.commands.telecontrol import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options.check)
