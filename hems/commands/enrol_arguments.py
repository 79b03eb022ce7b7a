"""The arguments of `hems headend`: the server, and whom it enrols; light, as all of them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.doctor_arguments import add_head_end
from hems.commands.feeds_arguments import add_feeds
from hems.commands.fleet_arguments import add_fleet
from hems.commands.monitor_arguments import add_monitor
from hems.commands.operator_arguments import add_operator
from hems.commands.operators_arguments import add_operators
from hems.commands.telecontrol_arguments import add_telecontrol

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

Run = Callable[[argparse.Namespace], int]


def add_headend(commands: "Commands", serve: Run, enrol: Run, answer: Run) -> None:
    """Add `hems headend`.

    Args:
        commands: Where to.
        serve: Runs the server.
        enrol: Makes codes, and decides on homes that wait.
        answer: Answers a request that came as a file.
    """
    headend = commands.add_parser("headend", help="the utility's IEEE 2030.5 server")
    actions = headend.add_subparsers(required=True, metavar="ACTION")

    parser = actions.add_parser("run", help="run it until Ctrl-C")
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="its configuration"
    )
    parser.set_defaults(run=serve)

    parser = actions.add_parser("enrol-code", help="make a code that enrols a home")
    parser.add_argument(
        "--qr", type=Path, metavar="FILE", help="write it as a QR code too: png, svg"
    )
    parser.add_argument("--pin", metavar="PIN", help="registration PIN; drawn if not given")
    parser.add_argument(
        "--edition",
        choices=["csip-aus", "csip", "2018", "2023"],
        help="profile of the home; the server's usual one if not given",
    )
    parser.add_argument("--serial", metavar="HEX", help="the only hardware that may use it")
    parser.add_argument("--hours", type=float, metavar="N", help="how long it can be used")
    parser.add_argument(
        "--manufacturer",
        action="store_true",
        help="without a secret: homes show their manufacturer's certificate, and wait for approval",
    )
    add_operator(parser)
    parser.set_defaults(run=enrol, what="code")

    parser = actions.add_parser("enrolments", help="who asked for a certificate")
    add_operator(parser)
    parser.set_defaults(run=enrol, what="list")

    parser = actions.add_parser(
        "pre-approve",
        help="approve hubs before they ask, by their manufacturer's certificates",
        description="Such a hub enrols by one command, its manufacturer's certificate and its PIN; "
        "nothing is to be done here then.",
    )
    parser.add_argument("--kind", metavar="OID", help="hwType in its certificate")
    parser.add_argument("--serial", metavar="HEX", help="hwSerialNum in it")
    parser.add_argument("--pin", metavar="PIN", help="registration PIN; drawn if not given")
    parser.add_argument(
        "--edition",
        choices=["csip-aus", "csip", "2018", "2023"],
        help="profile of the home; the server's usual one if not given",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="several: columns kind, serial, pin, edition"
    )
    parser.add_argument("--days", type=float, default=365.0, metavar="N", help="waited for so long")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write PINs and codes there, comma-separated"
    )
    add_operator(parser)
    parser.set_defaults(run=enrol, what="pre-approve")

    parser = actions.add_parser("pre-approved", help="hubs that are approved before they ask")
    parser.add_argument("--drop", metavar="ID", help="expect it no more")
    add_operator(parser)
    parser.set_defaults(run=enrol, what="pre-approved")

    for what in ("approve", "refuse"):
        parser = actions.add_parser(what, help=f"{what} a home that waits for its certificate")
        parser.add_argument("id", metavar="ID", help="as `hems headend enrolments` shows it")
        if what == "approve":
            parser.add_argument("--pin", metavar="PIN", help="that the home shows")
        add_operator(parser)
        parser.set_defaults(run=enrol, what=what)

    parser = actions.add_parser("revoke", help="take a home's certificate back")
    parser.add_argument("lfdi", metavar="LFDI", help="the home's")
    add_operator(parser)
    parser.set_defaults(run=enrol, what="revoke")

    parser = actions.add_parser("answer", help="answer a home's request in a file (test PKI)")
    parser.add_argument("request", type=Path, metavar="REQUEST", help="what its page offered")
    parser.add_argument("--pin", required=True, metavar="PIN", help="as its page shows it")
    parser.add_argument(
        "--demo",
        type=Path,
        default=Path("var/demo"),
        metavar="DIR",
        help="folder of the demo whose test PKI answers",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("enrolment.pem"),
        metavar="FILE",
        help="where the answer is written",
    )
    parser.set_defaults(run=answer)
    for add in (add_operators, add_fleet, add_monitor, add_head_end, add_feeds, add_telecontrol):
        add(actions)


def add_pki(commands: "Commands", run: Run) -> None:
    """Add `hems pki`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    pki = commands.add_parser("pki", help="a public-key infrastructure for tests and trials")
    pki.set_defaults(run=run)
    actions = pki.add_subparsers(dest="action", required=True, metavar="ACTION")

    parser = actions.add_parser("init", help="make one, with a utility and a hub in it")
    parser.add_argument("folder", type=Path, help="where to make it")
    parser.add_argument("--ocsp", metavar="URL", help="where certificates say to ask about them")
    _add_store(parser)

    parser = actions.add_parser("renew", help="renew its revocation lists")
    parser.add_argument("folder", type=Path, help="the PKI's")

    parser = actions.add_parser("signer", help="issue a certificate for who signs documents")
    parser.add_argument("folder", type=Path, help="the PKI's")
    parser.add_argument("--name", default="signer", help="of the signer")
    parser.add_argument(
        "--purpose",
        choices=["bulletin", "manifest"],
        default="bulletin",
        help="what the signer signs",
    )

    parser = actions.add_parser("keys", help="how the CAs' keys are held; move them to a store")
    parser.add_argument("folder", type=Path, help="the PKI's")
    _add_store(parser)

    parser = actions.add_parser(
        "roll-over",
        help="have another root follow the present one",
        description="Begins, or says how it stands. Homes that were enrolled by EST learn the new "
        "root by themselves and go on without a break.",
    )
    parser.add_argument("folder", type=Path, help="the PKI's")
    parser.add_argument(
        "--days", type=int, default=365, metavar="N", help="how long the present one counts still"
    )
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--switch", action="store_true", help="issue and show under the new root")
    step.add_argument("--end", action="store_true", help="erase the former root's key")


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        choices=["plain", "file", "pkcs11", "tpm"],
        default="plain",
        help="holds the CAs' keys: plain files, encrypted ones, a token, the TPM",
    )
    parser.add_argument(
        "--secret", type=Path, metavar="FILE", help="secret of encrypted files, or a token's PIN"
    )
    parser.add_argument("--module", type=Path, metavar="FILE", help="PKCS #11 library of a token")
    parser.add_argument("--token", default="hems", metavar="LABEL", help="label of the token")
    parser.add_argument("--tcti", default="device:/dev/tpmrm0", metavar="TCTI", help="of the TPM")
