"""The arguments of `hems headend bulletin|statistics|firmware`; light, as all of them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hems.commands.operator_arguments import add_operator

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

_SEVERITIES: Final = ("info", "warning", "critical")
_DAYS: Final = 7


def add_feeds(actions: "Commands") -> None:
    """Add the enterprise's side of the feeds to `hems headend`."""
    _add_bulletin(actions)
    parser = actions.add_parser("statistics", help="what homes told of their days, in numbers")
    parser.add_argument("--days", type=int, default=_DAYS, metavar="N", help="the last ones")
    add_operator(parser)
    parser.set_defaults(run=_statistics)
    _add_firmware(actions)


def _add_bulletin(actions: "Commands") -> None:
    bulletin = actions.add_parser("bulletin", help="what gateways are told of threats and devices")
    what = bulletin.add_subparsers(dest="what", required=True, metavar="WHAT")

    each = what.add_parser("alert", help="add a threat")
    each.add_argument("id", metavar="ID", help="by which it is known: CVE-2026-1234")
    each.add_argument("text", metavar="TEXT", help="what it is and what to do")
    each.add_argument("--severity", choices=_SEVERITIES, default="warning", help="how bad it is")
    each.add_argument(
        "--network",
        action="append",
        default=[],
        metavar="CIDR",
        help="addresses by which it is known; may be repeated",
    )
    each.add_argument(
        "--lfdi",
        action="append",
        default=[],
        metavar="HEX",
        help="LFDI of a certificate by which it is known; may be repeated",
    )
    each.add_argument(
        "--sfdi",
        action="append",
        default=[],
        type=int,
        metavar="N",
        help="SFDI by which it is known; may be repeated",
    )
    each.add_argument(
        "--fingerprint",
        action="append",
        default=[],
        metavar="HEX",
        help="SHA-256 of a certificate by which it is known; may be repeated",
    )
    each.add_argument("--hours", type=float, metavar="N", help="it ends by itself after so long")

    each = what.add_parser("firmware", help="add versions of firmware that must not run")
    _add_device(each)
    each.add_argument("--version", action="append", default=[], metavar="V", help="this one")
    each.add_argument("--below", default="", metavar="V", help="all older than this one")

    for trusted in ("trust", "distrust"):
        each = what.add_parser(trusted, help=f"add devices to {trusted}")
        _add_device(each)
        each.add_argument("--serial", default="", metavar="S", help="one of them only")

    each = what.add_parser("severity", help="say how bad a kind of security event is")
    each.add_argument("kind", metavar="KIND", help="the kind, as the security log has it")
    each.add_argument("severity", choices=_SEVERITIES, help="how bad it is")

    each = what.add_parser("withdraw", help="take an entry back")
    each.add_argument("id", metavar="ID", help="as 'list' shows it")
    what.add_parser("list", help="the entries, and the bulletin in force")
    what.add_parser("publish", help="sign what stands there now, for all gateways")
    for parser in what.choices.values():
        add_operator(parser)
    bulletin.set_defaults(run=_bulletin)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--manufacturer",
        required=True,
        metavar="NAME",
        help="their maker, as they say it themselves",
    )
    parser.add_argument("--model", default="", metavar="NAME", help="all of them if left out")
    parser.add_argument("--why", required=True, metavar="TEXT", help="one clause, for the owner")


def _add_firmware(actions: "Commands") -> None:
    firmware = actions.add_parser("firmware", help="lists of firmware, signed by both sides (TUF)")
    what = firmware.add_subparsers(dest="what", required=True, metavar="WHAT")

    each = what.add_parser("init", help="make a repository, with its keys")
    each.add_argument(
        "--root-keys", type=int, default=2, metavar="N", help="how many root keys there are"
    )
    each.add_argument("--threshold", type=int, default=2, metavar="N", help="so many must sign")

    each = what.add_parser("add-vendor", help="let a vendor sign")
    each.add_argument("vendor", metavar="VENDOR", help="its name")
    each.add_argument("--public", type=Path, metavar="FILE", help="its key, if it keeps that, PEM")

    each = what.add_parser("offer", help="as the vendor: sign a version")
    each.add_argument("vendor", metavar="VENDOR", help="its name")
    _add_version(each)
    each.add_argument(
        "--state",
        choices=("latest", "allowed"),
        default="latest",
        help="whether it is the newest, or only may run",
    )
    each.add_argument(
        "--advisory", default="", metavar="TEXT", help="what is wrong with it, in words"
    )
    each.add_argument("--file", type=Path, metavar="FILE", help="its package; for the hub's own")

    each = what.add_parser("withdraw", help="as the vendor: say that a version must not run")
    each.add_argument("vendor", metavar="VENDOR", help="its name")
    _add_version(each)
    each.add_argument("--why", required=True, metavar="TEXT", help="one clause, for the owner")

    each = what.add_parser("approve", help="as the service provider: sign what a vendor has signed")
    each.add_argument("vendor", metavar="VENDOR", help="its name")
    what.add_parser("publish", help="let hubs see it; once a week at least, for it ends after that")
    what.add_parser("list", help="what stands there, and what is approved")
    for parser in what.choices.values():
        parser.add_argument(
            "--folder", type=Path, default=Path("var/firmware"), metavar="DIR", help="repository"
        )
    firmware.set_defaults(run=_firmware)


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", metavar="VERSION", help="of the firmware")
    parser.add_argument("--manufacturer", default="", metavar="NAME", help="none: the hub's own")
    parser.add_argument(
        "--model", default="", metavar="NAME", help="all models of the maker if left out"
    )


def _bulletin(options: argparse.Namespace) -> int:
    from hems.commands.bulletin import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options)


def _statistics(options: argparse.Namespace) -> int:
    from hems.commands.bulletin import statistics  # noqa: PLC0415 - as in `hems.cli`

    return statistics(options)


def _firmware(options: argparse.Namespace) -> int:
    from hems.commands.firmware_offer import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options)
