"""The arguments of `hems programme`; light, since every command loads it."""

import argparse
from collections.abc import Callable

Run = Callable[[argparse.Namespace], int]

_MOST_DAYS = 3660


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add the command to the command line.

    Args:
        commands: Where to.
        run: What runs it.
    """
    parser = commands.add_parser("programme", help="what the home takes part in, and delivered")
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=["list", "show", "join", "leave", "records", "export"],
        help="default list",
    )
    parser.add_argument("id", nargs="?", default="", help="a programme, as listed")
    parser.add_argument("--by", default="the owner", help="who decides, for join and leave")
    parser.add_argument("--for", dest="lasts", metavar="SPAN", help="how long that counts: '7 d'")
    parser.add_argument("--yes", action="store_true", help="leave without being asked again")
    parser.add_argument("--days", type=_days, default=30, metavar="N", help="the last ones")
    parser.add_argument("--form", choices=["csv", "jsonl"], default="csv", help="of an export")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    parser.set_defaults(run=run)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days: 1 to {_MOST_DAYS}")
    return days
