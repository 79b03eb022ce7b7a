"""The arguments of `hems headend aggregator ...`; light, as all of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.operator_arguments import add_operator

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name


def add_aggregator(actions: "Commands") -> None:
    """Add aggregators to `hems headend`."""
    top = actions.add_parser("aggregator", help="certificates that speak for many homes")
    deeds = top.add_subparsers(required=True, metavar="DEED")

    _end(deeds.add_parser("list", help="all of them"), "list")

    parser = _of(deeds, "add", "enter one, with an EndDevice of its own")
    parser.add_argument("--pin", required=True, metavar="PIN", help="of its EndDevice")
    parser.add_argument("--edition", metavar="EDITION", help="csip-aus, 2023 or 2018")
    _add_rights(parser)
    _end(parser, "add")

    parser = _of(deeds, "change", "change what it may do: all that is not said is as at first")
    _add_rights(parser)
    _end(parser, "change")

    _end(_of(deeds, "drop", "have it be a home like any other"), "drop")
    _end(_of(deeds, "homes", "the homes that it speaks for"), "homes")

    parser = _of(deeds, "give", "have it speak for homes; new ones are entered")
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a table in UTF-8 whose first line names the columns: lfdi, and pin if wanted",
    )
    _end(parser, "give")

    parser = _of(deeds, "release", "have a home speak for itself again")
    parser.add_argument("home", metavar="HOME", help="LFDI of the home")
    _end(parser, "release")


def _of(deeds: "Commands", name: str, words: str) -> argparse.ArgumentParser:
    parser = deeds.add_parser(name, help=words)
    parser.add_argument("lfdi", metavar="LFDI", help="of the aggregator")
    return parser


def _add_rights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--may-register", action="store_true", help="it may enter and remove homes by itself"
    )
    parser.add_argument("--most", type=int, metavar="N", help="homes that it may have at most")


def _end(parser: argparse.ArgumentParser, what: str) -> None:
    add_operator(parser)
    parser.set_defaults(run=_run, what=what)


def _run(options: argparse.Namespace) -> int:
    from hems.commands.aggregator import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options)
