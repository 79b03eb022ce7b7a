"""The arguments of `hems firmware` and `hems update`; light, as all of them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.home_arguments import add_place

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]


def add_to(commands: "Commands", firmware: Run, update: Run, software: Run) -> None:
    """Add both.

    Args:
        commands: Where to.
        firmware: Runs `hems firmware`.
        update: Runs `hems update check|fetch`.
        software: Runs the rest of `hems update`.
    """
    lists = commands.add_parser("firmware", help="lists of devices' firmware, signed by both sides")
    what = lists.add_subparsers(dest="what", required=True, metavar="WHAT")
    each = what.add_parser("refresh", help="fetch and verify them now; the hub does so by itself")
    each.add_argument("--json", action="store_true", help="what was verified, for the hub")
    add_place(each)
    lists.set_defaults(run=firmware)

    newer = commands.add_parser("update", help="the hub's own software, signed by both sides")
    what = newer.add_subparsers(dest="what", required=True, metavar="WHAT")
    each = what.add_parser("check", help="whether there is a newer one")
    add_place(each)
    each = what.add_parser("fetch", help="fetch and verify it; it is not installed")
    each.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to put it")
    add_place(each)
    newer.set_defaults(run=update)
    _add_software(what, software)


def _add_software(what: "Commands", run: Run) -> None:
    each = what.add_parser("install", help="install it beside, and try it when no event runs")
    each.add_argument("--version", metavar="V", help="this one, though it has failed here before")
    each.add_argument("--wait", action="store_true", help="install it, and do not try it yet")
    _add_now(each)
    _add_place(each)
    each.set_defaults(run=run)

    each = what.add_parser("status", help="which version runs, which waits, and what failed")
    _add_sides(each)
    each.set_defaults(run=run)

    each = what.add_parser("try", help="have the one that is installed tried")
    _add_now(each)
    _add_place(each)
    each.set_defaults(run=run)

    for name, words in (
        ("cancel", "have nothing tried that has not begun"),
        ("back", "go back to the former version at the next quiet moment"),
    ):
        each = what.add_parser(name, help=words)
        _add_place(each)
        each.set_defaults(run=run)

    each = what.add_parser(
        "rehearse", help="whether this version could run a home; changes nothing"
    )
    add_place(each)
    each.set_defaults(run=run)

    each = what.add_parser("trust", help="as root: give the helper its root of trust")
    each.add_argument("root", type=Path, metavar="FILE", help="root.json of the service provider")
    _add_sides(each)
    each.set_defaults(run=run)

    each = what.add_parser("serve", help="the helper: carry out the order that waits")
    each.add_argument("--vendor", default="hems", metavar="NAME", help="whose list counts")
    each.add_argument("--package", type=Path, default=Path("/opt/hems"), metavar="DIR", help="base")
    each.add_argument("--try-as", metavar="USER", help="as whom new software is loaded first")
    _add_place(each)
    each.set_defaults(run=run)

    each = what.add_parser("pack", help="as the vendor: make an archive of a version")
    each.add_argument("wheels", type=Path, metavar="DIR", help="folder of all wheels, and pip's")
    each.add_argument("--out", type=Path, required=True, metavar="FILE", help="the archive")
    each.add_argument("--version", required=True, metavar="V", help="which version it is")
    each.add_argument("--least", required=True, metavar="V", help="oldest that it can follow")
    each.add_argument("--machine", metavar="NAME", help="'any', or as `uname -m` says; this one")
    each.add_argument("--manifest", type=Path, metavar="FILE", help="signed list of its files")
    each.set_defaults(run=run)


def _add_now(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--now", action="store_true", help="do not wait for the hours of [updates]")


def _add_sides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sides",
        type=Path,
        default=Path("/var/lib/hems-software"),
        metavar="DIR",
        help="where versions are side by side",
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    _add_sides(parser)
