"""The arguments of `hems people` and `hems setup-code`; light, since every command loads it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]
ROLES: Final = ("owner", "household", "installer", "provider", "aggregator", "auditor")

PURPOSES: Final = ("advice", "settlement", "maintenance", "energy-management", "flexibility")


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
    add.add_argument("name", help="what the person is called")
    add.add_argument("--role", choices=ROLES, default="household", help="what it may do")
    add.add_argument("--until", metavar="SPAN", help="how long it lasts: '12 h', '30 d'")
    _password(add)
    change = actions.add_parser("change", help="give an account another role or end")
    change.add_argument("name", help="the account's")
    change.add_argument("--role", choices=ROLES, required=True, help="what it may do from now on")
    change.add_argument("--until", metavar="SPAN", help="how long it lasts; without: no end")
    _url(change)
    remove = actions.add_parser("remove", help="take an account away")
    remove.add_argument("name", help="the account's")
    _url(remove)
    recover = actions.add_parser(
        "recover",
        aliases=["reset"],
        help="a new password in place of all proofs, as the hub's user on its own machine",
    )
    recover.set_defaults(action="recover")
    recover.add_argument("name", nargs="?", help="without: the only owner")
    _password(recover)
    token = actions.add_parser("token", help="make a token for another program; shown once")
    token.add_argument("name", help="what it is for")
    token.add_argument("--role", choices=ROLES, required=True, help="what it may do at most")
    token.add_argument("--until", metavar="SPAN", help="how long it lasts: '12 h', '30 d'")
    token.add_argument(
        "--rights", metavar="LIST", help="fewer than the role's, as 'see,history' (see `people`)"
    )
    token.add_argument("--network", default="", metavar="CIDR", help="from where it may be used")
    token.add_argument("--of", metavar="NAME", help="of whose account it is, and ends with")
    token.add_argument("--end", action="store_true", help="take the token of this name back")
    _url(token)
    consent = actions.add_parser("consent", help="let a party see or do more, until a day")
    consent.add_argument("name", help="an installer's, service provider's or aggregator's account")
    consent.add_argument("--purpose", choices=PURPOSES, default="maintenance", help="what for")
    consent.add_argument(
        "--rights", metavar="LIST", default="history", help="of history, steer, agree"
    )
    consent.add_argument("--until", metavar="SPAN", default="30 d", help="how long it lasts")
    consent.add_argument("--end", action="store_true", help="take back all that it has")
    _url(consent)
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
