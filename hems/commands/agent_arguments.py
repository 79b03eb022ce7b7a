"""The arguments of `hems agent` and `hems manifest`; light, as all of them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hems.commands.home_arguments import add_place

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]
_URL: Final = "http://127.0.0.1:8080"
_DAYS: Final = 365


def add_to(commands: "Commands", run: Run) -> None:
    """Add `hems agent`."""
    agent = commands.add_parser("agent", help="the software agent that watches over the hub")
    agent.set_defaults(run=run)
    what = agent.add_subparsers(dest="what", required=True, metavar="WHAT")

    each = what.add_parser("run", help="run it; the hub does so by itself, or a service manager")
    each.add_argument(
        "--child", action="store_true", help="for the hub: with the secret on standard input"
    )
    add_place(each)
    for name, words in (
        ("status", "how the running hub stands to its agent"),
        ("inventory", "software, options, machine and devices with their firmware"),
        ("measure", "have all files, and the machine's start, measured anew"),
        ("accept-boot", "take how the machine has started now for how it is to start"),
    ):
        each = what.add_parser(name, help=words)
        each.add_argument("--url", default=_URL, help="the page's address")
        if name in {"status", "inventory"}:
            each.add_argument("--json", action="store_true", help="as the page gets it")

    each = what.add_parser("enrol", help="enrol the hub at its utility, as `hems enrol` does")
    each.add_argument("code", metavar="CODE", help="of the utility; '-' reads it from stdin")
    each.add_argument("--certificate", type=Path, metavar="FILE", help="of the manufacturer")
    each.add_argument("--key", type=Path, metavar="FILE", help="that belongs to it")
    each.add_argument("--pin", metavar="PIN", help="of the utility, if the code has none")
    each.add_argument("--wait", default="10min", metavar="SPAN", help="for the utility's approval")
    add_place(each)

    each = what.add_parser("enrol-device", help="make a device a key and a certificate of the home")
    each.add_argument("id", metavar="ID", help="of the device, which speaks TLS")
    each.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the device")
    how = each.add_mutually_exclusive_group()
    how.add_argument("--request", type=Path, metavar="FILE", help="of a device that keeps its key")
    how.add_argument("--renew", action="store_true", help="the next one, for the key that it has")
    add_place(each)


def add_manifest(commands: "Commands", run: Run) -> None:
    """Add `hems manifest`."""
    manifest = commands.add_parser("manifest", help="what the software consists of, signed")
    manifest.set_defaults(run=run)
    what = manifest.add_subparsers(dest="what", required=True, metavar="WHAT")

    each = what.add_parser("make", help="list the software that this program runs from")
    each.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="where the list is written"
    )
    each.add_argument("--publisher", required=True, metavar="NAME", help="who approves it")
    each.add_argument(
        "--number", type=int, required=True, metavar="N", help="greater than the last one's"
    )
    each.add_argument("--days", type=int, default=_DAYS, metavar="N", help="how long it counts")
    each.add_argument("--compiled", action="store_true", help="list compiled files (.pyc) too")
    each.add_argument(
        "--open", action="store_true", help="let other software be installed beside it"
    )
    each.add_argument(
        "--boot", metavar="TCTI", help="and how this machine has started, by the TPM there"
    )

    each = what.add_parser("sign", help="sign a list, as the provider")
    each.add_argument("file", type=Path, metavar="FILE", help="the list")
    each.add_argument("--certificate", type=Path, required=True, metavar="FILE", help="and its CAs")
    each.add_argument(
        "--key",
        type=Path,
        required=True,
        metavar="FILE",
        help="the private key of that certificate",
    )
    each.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="where the signed list is written"
    )

    each = what.add_parser("check", help="see whether a signed list counts, and is kept to here")
    each.add_argument("file", type=Path, metavar="FILE", help="the signed list")
    each.add_argument("--roots", type=Path, required=True, metavar="FILE", help="whom to believe")
    each.add_argument("--least", type=int, default=0, metavar="N", help="the last one's number")
