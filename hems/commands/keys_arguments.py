"""The arguments of `hems keys`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.home_arguments import add_place

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name


def add_keys(commands: "Commands", run: Callable[[argparse.Namespace], int]) -> None:
    """Add `hems keys`."""
    parser = commands.add_parser("keys", help="the hub's private keys: where they are held")
    parser.set_defaults(run=run)
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    each = what.add_parser("list", help="every key that the configuration names")
    add_place(each)
    each = what.add_parser("check", help="try the key store, and each key in it")
    add_place(each)
    each = what.add_parser("make", help="make a key in the key store")
    each.add_argument("file", type=Path, metavar="FILE", help="where to keep what says of it")
    add_place(each)
    each = what.add_parser("move", help="move plain keys into the key store")
    each.add_argument(
        "file", type=Path, nargs="*", metavar="FILE", help="else all that the hub uses by it"
    )
    add_place(each)
    each = what.add_parser(
        "release", help="have the store's key be a plain file, for another key store to take"
    )
    add_place(each)
    each = what.add_parser("renew-store", help="have the store be under a new key")
    add_place(each)
    each = what.add_parser("erase", help="erase a key for good")
    each.add_argument(
        "file", type=Path, metavar="FILE", help="the key's, as `hems keys list` shows it"
    )
    each.add_argument("--yes", action="store_true", help="even where the configuration names it")
    add_place(each)
