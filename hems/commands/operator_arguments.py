"""The arguments of the operator's commands; light, since every command loads it."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

Run = Callable[[argparse.Namespace], int]


def add_event(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add `hems event`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    event = commands.add_parser(
        "event",
        help="dispatch, list and cancel grid events; set what holds without one",
        description="Amounts below zero are written with =: --target=-3kW. Several asks may "
        "stand in one event.",
    )
    event.add_argument(
        "action",
        nargs="?",
        default="send",
        choices=[
            *("send", "list", "cancel", "default", "proposals", "confirm", "withdraw"),
            *("progress", "settle", "availability"),
        ],
        help="default send; 'default' sets what holds in a programme while no event does; large "
        "orders may need a second person, who confirms them: 'proposals', 'confirm', 'withdraw'; "
        "'availability' tells what could be asked for, 'progress' what an event brings, 'settle' "
        "what it brought",
    )
    event.add_argument("id", nargs="?", help="the event, or the proposal")
    event.add_argument("--reason", metavar="TEXT", default="", help="for cancel and withdraw")
    event.add_argument(
        "--key", metavar="KEY", help="gives an order again that was not answered: it is done once"
    )
    form = event.add_mutually_exclusive_group()
    form.add_argument("--csv", type=Path, metavar="FILE", help="settle: all homes, into a file")
    form.add_argument("--parquet", type=Path, metavar="FILE", help="settle: the same as Parquet")
    _add_limits(event)
    _add_functions(event)
    event.add_argument("--ramp", metavar="SPAN", help="go over to it within: 30s")
    event.add_argument(
        "--raw", action="store_true", help="send what makes no sense too: to test homes"
    )
    event.add_argument("--gradient", metavar="PERCENT", help="for 'default': %% of rating a second")
    event.add_argument("--minutes", type=float, help="how long the event lasts")
    event.add_argument("--start", metavar="+DELAY", default="+0s", help="from now: +5m")
    event.add_argument(
        "--randomize-start",
        metavar="SPAN",
        default="0s",
        help="each home begins at a time of its own within it",
    )
    event.add_argument("--program", metavar="NAME", help="which programme issues it")
    event.add_argument("--group", metavar="ID", help="the group or site that it is for")
    add_operator(event)
    event.set_defaults(run=run)


def _add_limits(event: argparse.ArgumentParser) -> None:
    for option, metavar, words in (
        ("limit-import", "POWER", "net import at most"),
        ("limit-export", "POWER", "net export at most"),
        ("limit-load", "POWER", "sum of loads at most"),
        ("limit-generation", "POWER", "sum of generation at most"),
        ("limit-generation-percent", "PERCENT", "generation at most, of its rating"),
        ("limit-absorb-var", "VARS", "reactive power taken at most (2023): '500 var'"),
        ("limit-inject-var", "VARS", "reactive power given at most (2023)"),
        ("shed", "POWER", "emergency: so much less than now"),
        ("reduce-energy", "ENERGY", "so much less over the event"),
        ("duty-cycle", "PERCENT", "share of time that loads may run"),
    ):
        event.add_argument(f"--{option}", metavar=metavar, help=words)


def _add_functions(event: argparse.ArgumentParser) -> None:
    for option, metavar, words in (
        ("volt-var", "V:VAR,...", "V per unit, var in %% of the most, + injects: 0.92:44,1.08:-44"),
        ("volt-watt", "V:W,...", "V per unit, W in %% of the rating: 1.06:100,1.1:20"),
        ("watt-var", "W:VAR,...", "W and var in %%, + gives and injects: 50:0,100:-44"),
        ("watt-pf", "W:PF,...", "W in %%, power factor + absorbs vars: 50:1,100:0.95"),
        ("freq-watt", "HZ:W,...", "Hz, W in %% of the rating: 50.2:100,51.5:0"),
        ("freq-droop", "BAND:DROOP[:S]", "dead band Hz, droop per unit, response s: 0.036:0.05"),
        ("fixed-var", "PERCENT", "of the most vars, + injects: -20"),
        ("power-factor", "PF:SIDE", "while power is given: 0.95:absorb or 0.95:inject (vars)"),
        ("power-factor-charging", "PF:SIDE", "while power is taken"),
        ("target", "POWER", "what the DER gives; below zero it takes"),
        ("target-var", "VARS", "reactive power that the DER gives; below zero it takes"),
        ("storage-target", "POWER", "what all storage gives; below zero it takes (CSIP-AUS)"),
        ("fixed-power", "PERCENT", "of the rated discharge; below zero of the rated charge"),
        ("island", "yes|no", "whether the home may island (2023)"),
    ):
        event.add_argument(f"--{option}", metavar=metavar, help=words)
    event.add_argument(
        "--disconnect", action="store_true", help="generation and storage off the grid"
    )


def add_price(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add `hems price`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    price = commands.add_parser("price", help="set, list and clear the utility's prices")
    price.add_argument(
        "action", nargs="?", default="list", choices=["set", "list", "clear"], help="what to do"
    )
    price.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="for set: CSV or JSON with start (epoch s or ISO 8601), minutes, price per kWh; "
        "they take the place of all prices from the first start on",
    )
    price.add_argument("--tariff", default="Retail", metavar="NAME", help="name of the tariff")
    price.add_argument(
        "--flow",
        default="import",
        choices=["import", "export"],
        help="energy that homes take, or give",
    )
    price.add_argument("--currency", metavar="CODE", help="ISO 4217: EUR")
    price.add_argument("--primacy", type=int, metavar="N", help="of tariffs the lowest wins")
    price.add_argument("--raw", action="store_true", help="send absurd or missing prices too")
    add_operator(price)
    price.set_defaults(run=run)


def add_reserve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add `hems reserve`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    reserve = commands.add_parser(
        "reserve",
        help="list, grant and cancel homes' flow reservations",
        description="Below zero is discharging, written with =: --power=-2kW. What is left out "
        "is granted as asked.",
    )
    reserve.add_argument(
        "action", nargs="?", default="list", choices=["list", "grant", "cancel"], help="what to do"
    )
    reserve.add_argument("id", nargs="?", help="the reservation; for cancel a grant too")
    reserve.add_argument("--power", metavar="POWER", help="what is granted, if not as asked")
    reserve.add_argument("--energy", metavar="ENERGY", help="what is granted, if not as asked")
    reserve.add_argument("--start", type=float, metavar="EPOCH", help="UTC seconds")
    reserve.add_argument("--minutes", type=float, help="how long, if not as asked")
    reserve.add_argument("--raw", action="store_true", help="grant more than was asked too")
    add_operator(reserve)
    reserve.set_defaults(run=run)


def add_message(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add `hems message`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    message = commands.add_parser("message", help="write to the people of the homes")
    message.add_argument("text", nargs="?", help="what to say; none lists what was said")
    message.add_argument(
        "--priority",
        default="normal",
        choices=["low", "normal", "high", "critical"],
        help="how it is shown",
    )
    message.add_argument("--minutes", type=float, default=60.0, help="how long it is shown")
    message.add_argument("--start", metavar="+DELAY", help="from now: +5m")
    message.add_argument("--originator", metavar="NAME", help="who signs it")
    message.add_argument("--cancel", metavar="ID", help="take a message back")
    add_operator(message)
    message.set_defaults(run=run)


def add_homes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add `hems homes`.

    Args:
        commands: Where to.
        run: What runs it.
    """
    homes = commands.add_parser("homes", help="what the utility knows of its homes")
    add_operator(homes)
    homes.set_defaults(run=run)


def add_operator(parser: argparse.ArgumentParser) -> None:
    """Add where the head-end's operator door is."""
    parser.add_argument(
        "--operator",
        type=Path,
        default=Path(os.environ.get("HEMS_OPERATOR") or "var/demo/headend/operator.json"),
        metavar="FILE",
        help="where the head-end wrote its operator address and token; without it the file that "
        "HEMS_OPERATOR names, or the demo's",
    )
