"""The arguments of `hems people` and `hems setup-code`; light, since every command loads it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]
ROLES: Final = ("owner", "household", "installer", "provider", "aggregator", "auditor")


def add_to(commands: "Commands", people: Run, code: Run) -> None:
    """Add the commands to the command line.

    Args:
        commands: Where to.
        people: What runs `hems people`.
        code: What runs `hems setup-code`.
    """
    parser = commands.add_parser("people", help="who may use the home: accounts, tokens, trail")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parser.set_defaults(run=people, action="list")
    _url(parser)

    _url(actions.add_parser("list", help="accounts and tokens (default)"))
    add = actions.add_parser("add", help="make an account; the first one is its owner's")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="household")
    add.add_argument("--until", metavar="SPAN", help="how long it lasts: '12 h', '30 d'")
    _password(add)
    change = actions.add_parser("change", help="give an account another role or end")
    change.add_argument("name")
    change.add_argument("--role", choices=ROLES, required=True)
    change.add_argument("--until", metavar="SPAN", help="how long it lasts; without: no end")
    _url(change)
    remove = actions.add_parser("remove", help="take an account away")
    remove.add_argument("name")
    _url(remove)
    recover = actions.add_parser(
        "recover", help="set a new password, as the hub's user on its own machine"
    )
    recover.add_argument("name", nargs="?", help="without: the only owner")
    _password(recover)
    token = actions.add_parser("token", help="make a token for another program; shown once")
    token.add_argument("name", help="what it is for")
    token.add_argument("--role", choices=ROLES, required=True)
    token.add_argument("--until", metavar="SPAN", help="how long it lasts: '12 h', '30 d'")
    token.add_argument("--end", action="store_true", help="take the token of this name back")
    _url(token)
    audit = actions.add_parser("audit", help="who did and saw what")
    audit.add_argument("--most", type=int, default=50, metavar="N", help="the last ones")
    audit.add_argument("--verify", action="store_true", help="whether it is as it was written")
    audit.add_argument("--link", default="", metavar="HEX", help="that --verify told earlier")
    _url(audit)

    setup = commands.add_parser("setup-code", help="the code for the first account")
    setup.add_argument("--home", type=Path, metavar="DIR", help="the home's folder")
    setup.set_defaults(run=code)


def _password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="its first line; else it is asked for"
    )
    _url(parser)


def _url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default=argparse.SUPPRESS, help="the page's address")
