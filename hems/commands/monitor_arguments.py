"""The arguments of `hems headend health|signals`; light, as all of them."""

import argparse
from typing import TYPE_CHECKING

from hems.commands.operator_arguments import add_operator

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name


def add_monitor(actions: "Commands") -> None:
    """Add monitoring to `hems headend`."""
    parser = actions.add_parser("health", help="how the fleet is: homes heard of, hubs, signals")
    add_operator(parser)
    parser.set_defaults(run=_run, what="health")

    parser = actions.add_parser(
        "signals",
        help="what is not as it was: outages, copied keys, floods, clocks, readings ...",
        description="Those that last; docs/monitoring.md says what each means.",
    )
    parser.add_argument(
        "--since", type=float, metavar="HOURS", help="also those that have ended since"
    )
    add_operator(parser)
    parser.set_defaults(run=_run, what="signals")


def _run(options: argparse.Namespace) -> int:
    from hems.commands.monitor import run  # noqa: PLC0415 - as in `hems.cli`

    return run(options)
