"""The arguments of `hems headend operator` and `hems headend trail`; light, as all of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hems.commands.operator_arguments import add_operator

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

_ROLES: Final = ("dispatcher", "engineer", "auditor", "admin")


def add_operators(actions: "Commands") -> None:
    """Add operators and their trail to `hems headend`."""
    operator = actions.add_parser("operator", help="who may do what at the operator's door")
    doings = operator.add_subparsers(required=True, metavar="ACTION")

    parser = doings.add_parser("list", help="all operators")
    _end(parser, "list")

    parser = doings.add_parser("add", help="make an operator")
    _add_name(parser)
    _add_roles(parser)
    _add_password(parser)
    _end(parser, "add")

    parser = doings.add_parser("role", help="give an operator other roles, at once")
    _add_name(parser)
    _add_roles(parser)
    _end(parser, "role")

    parser = doings.add_parser("password", help="give an operator a new password")
    _add_name(parser)
    _add_password(parser)
    _end(parser, "password")

    parser = doings.add_parser("remove", help="remove an operator with all that lets them in")
    _add_name(parser)
    _end(parser, "remove")

    parser = doings.add_parser("token", help="make, list or take back tokens of an operator")
    _add_name(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--label", metavar="TEXT", help="make one: what it is for")
    what.add_argument("--end", metavar="ID", help="take one back")
    parser.add_argument("--days", type=int, default=365, metavar="N", help="how long it holds")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write address and token there, for --operator of other commands, instead of showing "
        "the token",
    )
    parser.add_argument(
        "--url", metavar="URL", help="with --out: the door's address; else the one asked here"
    )
    _end(parser, "token")

    parser = actions.add_parser("trail", help="who did what at the operator's door")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--csv", type=Path, metavar="FILE", help="write all of it there")
    what.add_argument("--check", action="store_true", help="is it as it was written?")
    parser.add_argument("--who", metavar="NAME", help="only this operator's")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="so many of the last")
    _end(parser, "trail")


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as it was given when the account was made")


def _add_roles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        choices=_ROLES,
        action="append",
        required=True,
        dest="roles",
        help="dispatcher: events, prices, messages; engineer: homes, hubs, programmes; auditor: "
        "sees all; admin: makes operators. May be given several times",
    )


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="its first line; else it is typed"
    )


def _end(parser: argparse.ArgumentParser, what: str) -> None:
    add_operator(parser)
    parser.set_defaults(run=_run, what=what)


def _run(options: argparse.Namespace) -> int:
    from hems.commands.operators import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options)
