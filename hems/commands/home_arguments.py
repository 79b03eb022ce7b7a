"""The arguments of commands about a home as a whole: run, backup, restore, wipe, enrol, renew."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hems.logs import OURS

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]
LAST_PORT: Final = 65535
_LEVELS: Final = ("debug", "info", "warning", "error")


def add_run(commands: "Commands", run: Run) -> None:
    """Add `hems run`."""
    parser = commands.add_parser("run", help="run the home's controller")
    add_place(parser, told=True)
    parser.add_argument("--host", metavar="ADDRESS", help="of the page, whatever is configured")
    parser.add_argument("--port", type=port, help="of the page, whatever is configured")
    parser.add_argument("--ready", type=Path, metavar="FILE", help="write the ports taken there")
    parser.add_argument("--verbose", action="store_true", help="log every decision")
    parser.add_argument(
        "--log",
        type=_part,
        action="append",
        default=[],
        metavar="PART=LEVEL",
        help='how much a part logs, such as "hems.sep2=debug"; may be given again',
    )
    parser.set_defaults(run=run)


def add_keeping(commands: "Commands", backup: Run, restore: Run, wipe: Run) -> None:
    """Add `hems backup`, `hems restore` and `hems wipe`."""
    parser = commands.add_parser("backup", help="the home's data and keys in one locked file")
    parser.add_argument("file", type=Path, metavar="FILE", help="where the backup is written")
    _add_passphrase(parser)
    add_place(parser)
    parser.set_defaults(run=backup)

    parser = commands.add_parser("restore", help="put a backup in the place of what is there")
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument("--check", action="store_true", help="look into it only")
    _add_passphrase(parser)
    add_place(parser, told=True)
    parser.set_defaults(run=restore)

    parser = commands.add_parser("wipe", help="erase the home's keys and data for good")
    parser.add_argument("--yes", action="store_true", help="without being asked to type it")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the proof as JSON there")
    add_place(parser, told=True)
    parser.set_defaults(run=wipe)


def add_enrol(commands: "Commands", enrol: Run) -> None:
    """Add `hems enrol`."""
    parser = commands.add_parser(
        "enrol",
        help="enrol the home at its utility by a code, in one go",
        description="Makes the hub's key, gets its certificate by EST (RFC 7030) and writes the "
        "settings. A hub that runs connects at once.",
    )
    parser.add_argument("code", metavar="CODE", help="of the utility; '-' reads it from stdin")
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="of the manufacturer, if not in the home"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="that belongs to it")
    parser.add_argument("--pin", metavar="PIN", help="of the utility, if the code has none")
    parser.add_argument(
        "--wait", default="10min", metavar="SPAN", help="for the utility's approval"
    )
    add_place(parser)
    parser.set_defaults(run=enrol)


def add_renew(commands: "Commands", renew: Run) -> None:
    """Add `hems renew`."""
    parser = commands.add_parser(
        "renew",
        help="renew the home's certificates now, with new keys",
        description="What was got by a code is renewed by itself in good time; this does not "
        "wait. A hub that runs takes it up within a minute; what is in force goes on.",
    )
    add_place(parser)
    parser.set_defaults(run=renew)


def add_place(parser: argparse.ArgumentParser, *, told: bool = False) -> None:
    """Add where the home is.

    Args:
        parser: Of a command about a home.
        told: Whether it must be told, and else means the present folder; others find the home.
    """
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--config", type=Path, metavar="FILE", help="its configuration")
    where.add_argument(
        "--home",
        type=Path,
        default=Path() if told else None,
        metavar="DIR",
        help="its folder; an empty one: new"
        if told
        else "its folder; else HEMS_HOME, the present one, or the package's",
    )


def port(text: str) -> int:
    """Return a port.

    Raises:
        ArgumentTypeError: It is none.
    """
    number = int(text)
    if not 0 <= number <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port: 0 to {LAST_PORT}")
    return number


def _part(text: str) -> tuple[str, int]:
    """Return a part of the program and the least level that it logs.

    Raises:
        ArgumentTypeError: There is no such part or level.
    """
    part, _, level = text.partition("=")
    if part.split(".")[0] not in OURS:
        raise argparse.ArgumentTypeError(f"{part!r} is no part of {', '.join(OURS)}")
    if level not in _LEVELS:
        raise argparse.ArgumentTypeError(f"{level!r} is no level: {', '.join(_LEVELS)}")
    return part, logging.getLevelNamesMapping()[level.upper()]


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="its first line; else it is asked for"
    )
