"""The arguments of `hems security`; light, since every command loads it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

_SEVERITIES: Final = ("info", "notice", "warning", "alarm")


def add_to(commands: "Commands", run: Callable[[argparse.Namespace], int]) -> None:
    """Add the command to the command line.

    Args:
        commands: Where to.
        run: What runs it.
    """
    parser = commands.add_parser("security", help="the log of what bears on security")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.set_defaults(run=run, action="log", most=20, least="info")
    _url(parser)
    log = actions.add_parser("log", help="the latest rows (default)")
    log.add_argument("--most", type=int, default=20, metavar="N", help="so many (default 20)")
    log.add_argument(
        "--least", choices=_SEVERITIES, default="info", help="only those at least so grave"
    )
    _url(log)
    verify = actions.add_parser("verify", help="whether the log is as it was written")
    verify.add_argument(
        "--link", default="", metavar="HEX", help="and whether a link noted earlier is in it"
    )
    _url(verify)
    export = actions.add_parser("export", help="write the whole log into a file, a row a line")
    export.add_argument("file", type=Path, help="where it is written")
    _url(export)
    _url(actions.add_parser("barred", help="addresses that are kept out for a while, and why"))
    let_in = actions.add_parser("let-in", help="keep an address out no longer")
    let_in.add_argument("source", help="as `barred` shows it")
    _url(let_in)


def _url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default=argparse.SUPPRESS, help="the page's address")
