"""The arguments of `hems doctor` and `hems headend doctor`; light, as all of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.home_arguments import Run, add_place

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name


def add_to(commands: "Commands", run: Run) -> None:
    """Add `hems doctor`."""
    parser = commands.add_parser(
        "doctor",
        help="what is wrong with this installation, and what to do",
        description="Looks at time, certificates, devices, utilities, disk, store, versions, ports "
        "and files; asks the hub if it runs. Changes nothing. Exit code: 0 all is well, 1 "
        "something wants attention, 2 something does not work.",
    )
    add_place(parser)
    _add_json(parser)
    parser.set_defaults(run=run)


def add_head_end(actions: "Commands") -> None:
    """Add `hems headend doctor`."""
    parser = actions.add_parser(
        "doctor", help="what is wrong with this head-end, and what to do", description=_CODES
    )
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="its configuration"
    )
    _add_json(parser)
    parser.set_defaults(run=_head_end)


_CODES = "Changes nothing. Exit code: 0 all is well, 1 attention, 2 something does not work."


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _head_end(options: argparse.Namespace) -> int:
    from hems.commands.doctor_head_end import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options)
