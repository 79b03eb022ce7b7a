"""The arguments of `hems visibility`; light, since every command loads it."""

import argparse
from collections.abc import Callable
from typing import Final

Run = Callable[[argparse.Namespace], int]

_DATA: Final = ("live", "power", "voltage", "energy", "events")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add the command to the command line.

    Args:
        commands: Where to.
        run: What runs it.
    """
    parser = commands.add_parser("visibility", help="who may see what the home measures")
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=["list", "grant", "withdraw", "accesses"],
        help="default list",
    )
    parser.add_argument("id", nargs="?", help="a recipient's name, or a grant's number")
    parser.add_argument("--lfdi", help="of the recipient's certificate, 40 hex digits")
    parser.add_argument(
        "--purpose",
        default="grid-operation",
        choices=["grid-operation", "topology-identification", "line-loss-analysis", "settlement"],
        help="what for",
    )
    parser.add_argument("--data", default=",".join(_DATA), help=f"of {', '.join(_DATA)}")
    parser.add_argument("--for", dest="lasts", default="365 d", metavar="SPAN", help="how long")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    parser.set_defaults(run=run)
