"""The arguments of `hems firmware` and `hems update`; light, as all of them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.home_arguments import add_place

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]


def add_to(commands: "Commands", firmware: Run, update: Run) -> None:
    """Add both.

    Args:
        commands: Where to.
        firmware: Runs `hems firmware`.
        update: Runs `hems update`.
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
