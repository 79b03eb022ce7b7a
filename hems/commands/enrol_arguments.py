"""The arguments of `hems headend`: the server, and whom it enrols; light, as all of them."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hems.commands.feeds_arguments import add_feeds
from hems.commands.operator_arguments import add_operator

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
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    parser.set_defaults(run=serve)

    parser = actions.add_parser("enrol-code", help="make a code that enrols a home")
    parser.add_argument(
        "--qr", type=Path, metavar="FILE", help="write it as a QR code too: png, svg"
    )
    parser.add_argument("--pin", metavar="PIN", help="registration PIN; drawn if not given")
    parser.add_argument("--edition", choices=["csip-aus", "csip", "2018", "2023"])
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
    parser.add_argument("--demo", type=Path, default=Path("var/demo"), metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("enrolment.pem"), metavar="FILE")
    parser.set_defaults(run=answer)
    add_feeds(actions)


def add_pki(commands: "Commands", run: Run) -> None:
    """Add `hems pki`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    pki = commands.add_parser("pki", help="a test public-key infrastructure")
    pki.add_argument(
        "action", choices=["init", "renew", "signer"], help="renew its revocation lists; a signer"
    )
    pki.add_argument("folder", type=Path)
    pki.add_argument("--name", default="signer", help="of the signer")
    pki.add_argument("--purpose", choices=["bulletin", "manifest"], default="bulletin")
    pki.set_defaults(run=run)
