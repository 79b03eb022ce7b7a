"""The arguments of `hems headend import|import-groups|hubs|hub|...`; light, as all of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hems.commands.aggregator_arguments import add_aggregator
from hems.commands.operator_arguments import add_operator

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

_STATES: Final = ("made", "enrolled", "commissioned", "operating", "quarantined", "retired")


def add_fleet(actions: "Commands") -> None:
    """Add the fleet to `hems headend`, and who speaks for many of its homes."""
    add_aggregator(actions)
    parser = actions.add_parser(
        "import",
        help="enter hubs and their sites from a file",
        description="A table in UTF-8: commas, semicolons or tabs; its first line names the "
        "columns: site, group, site_name, address, connection_point, lat, lon, lfdi, kind, serial, "
        "pin, edition, licence, licence_until, largest_event_w. Each bad line is named. One bad "
        "line keeps all from being entered, unless --only-good says otherwise. What is there "
        "already, just so, is left as it is: a file may be given again.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, with a heading")
    parser.add_argument(
        "--only-good", action="store_true", help="enter the good lines although there are bad ones"
    )
    parser.add_argument("--dry-run", action="store_true", help="look at all lines, enter nothing")
    parser.add_argument(
        "--most", type=int, default=100, metavar="N", help="name so many bad lines at most"
    )
    _end(parser, "import")

    parser = actions.add_parser(
        "import-groups",
        help="enter or change groups from a file",
        description="Columns: id, name, kind, parent, lat, lon. A group stands behind the one above"
        " it. Kinds: system, subtransmission, substation, feeder, segment, transformer, free.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, with a heading")
    _end(parser, "import-groups")

    parser = actions.add_parser("hubs", help="the fleet's hubs, and how far each is")
    parser.add_argument("--state", choices=_STATES, help="those in this state only")
    parser.add_argument("--group", metavar="ID", help="of this group and all below it")
    parser.add_argument("--site", metavar="ID", help="those of this site only")
    _end(parser, "hubs")

    parser = actions.add_parser("shares", help="what is shared of the utility's events now")
    parser.add_argument("--homes", action="store_true", help="and each home's share")
    _end(parser, "shares")

    parser = actions.add_parser("hub", help="one hub, with its history")
    parser.add_argument("id", metavar="HUB", help="its id, or its LFDI")
    _end(parser, "hub")

    parser = actions.add_parser("hub-state", help="take a hub to another state")
    parser.add_argument("id", metavar="HUB", help="its id, or its LFDI")
    parser.add_argument("state", choices=_STATES, help="where it goes to")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for its history")
    _end(parser, "hub-state")

    _add_test(actions)

    parser = actions.add_parser(
        "replace-hub", help="have a new hub take an old one's place, which is retired"
    )
    parser.add_argument("old", metavar="OLD", help="id or LFDI of the hub that goes")
    parser.add_argument("new", metavar="NEW", help="id or LFDI of the hub that comes")
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="why, for the history of both"
    )
    _end(parser, "replace-hub")


def _add_test(actions: "Commands") -> None:
    parser = actions.add_parser(
        "hub-test", help="serve an enrolled hub as if it operated, so that it can be tested"
    )
    parser.add_argument("id", metavar="HUB", help="its id, or its LFDI")
    parser.add_argument("--hours", type=float, default=2.0, metavar="N", help="0 ends it")
    _end(parser, "hub-test")

    parser = actions.add_parser("commission", help="enter a hub's witnessed test")
    parser.add_argument("id", metavar="HUB", help="its id, or its LFDI")
    parser.add_argument("--tested-by", required=True, metavar="NAME", help="who did the test")
    parser.add_argument("--witnessed-by", required=True, metavar="NAME", help="another person")
    parser.add_argument(
        "--passed",
        nargs="+",
        default=[],
        metavar="CHECK[=NOTE]",
        help="identity, registration, event, readings, limits, safe-state must be there, unless "
        "the head-end's settings name others",
    )
    parser.add_argument(
        "--failed",
        nargs="+",
        default=[],
        metavar="CHECK[=NOTE]",
        help="checks that failed, each with what was seen",
    )
    parser.add_argument("--at", metavar="TIME", help="of the test, as 2026-11-23T10:00Z; else now")
    parser.add_argument(
        "--paper", type=Path, metavar="FILE", help="the page that both signed: its SHA-256 is kept"
    )
    _end(parser, "commission")


def _end(parser: argparse.ArgumentParser, what: str) -> None:
    add_operator(parser)
    parser.set_defaults(run=_run, what=what)


def _run(options: argparse.Namespace) -> int:
    if options.what in {"import", "import-groups"}:
        from hems.commands.fleet_import import run  # noqa: PLC0415 - as in `hems.cli`
    elif options.what in {"hub-test", "commission"}:
        from hems.commands.hub_test import run  # noqa: PLC0415 - the same
    elif options.what == "shares":
        from hems.commands.shares import run  # noqa: PLC0415 - the same
    else:
        from hems.commands.fleet import run  # noqa: PLC0415 - the same

    return run(options)
