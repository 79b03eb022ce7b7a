"""The arguments of `hems firewall`. It imports nothing that is heavy: every command loads it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/run/hems/firewall.sock")


def add_to(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    run: Callable[[argparse.Namespace], int],
) -> None:
    """Add `hems firewall` to the command line; `run` is what each of its commands runs."""
    firewall = commands.add_parser(
        "firewall", help="rules for devices whose traffic passes the hub: helper, show, flush"
    )
    actions = firewall.add_subparsers(required=True, metavar="ACTION", dest="action")
    serve = actions.add_parser("serve", help="the helper, with CAP_NET_ADMIN and nothing else")
    serve.add_argument("--hub-user", metavar="USER", help="who alone is served; default: its own")
    serve.add_argument(
        "--as", dest="as_user", metavar="USER", help="as whom it goes on, where root starts it"
    )
    show = actions.add_parser("show", help="whether rules hold, and what they have stopped")
    flush = actions.add_parser("flush", help="take the rules away, until the hub sets them anew")
    for parser in (serve, show, flush):
        parser.add_argument(
            "--socket", type=Path, default=SOCKET, metavar="FILE", help="where the helper listens"
        )
        parser.set_defaults(run=run)
