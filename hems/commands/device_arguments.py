"""The arguments of `hems device ...`. It imports nothing that is heavy: every command loads it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hems import units
from hems.device_surface import LONGEST_S, MOVE_S, SHORTEST_S

_PLAIN: Final = (
    ("kind", "what it is: pv, battery, evse, heat_pump, water_heater, thermostat, plug, meter ..."),
    ("driver", "what speaks to it: sunspec, modbus, ocpp16, ocpp201, mqtt, p1 ..."),
    ("host", "its host name or address"),
    ("transport", "how Modbus travels: tcp, rtu-over-tcp or tls"),
    ("map", "description of a Modbus device: a name that comes with the product, or a file"),
    ("station", "OCPP identity of a charger"),
    ("profile", "shape of an MQTT device's topics: tasmota, shelly, zigbee2mqtt ..."),
    ("topic", "an MQTT device's own part of its topics"),
    ("min", "most power that it gives, negative, such as --min=-5kW"),
    ("max", "most power that it takes, such as 3kW"),
    ("ownership", "whose it is: owner, service-provider or other"),
)
_NUMBERS: Final = (
    ("port", "TCP port"),
    ("unit", "Modbus unit"),
    ("phases", "phases on which a charger charges, 1 or 3"),
    ("essentiality", "0 is shed first, 8 last, 9 never but for the main breaker"),
)
_JUDGING: Final = (
    ("approve", "trust a new device, or one that is another now, as it shows itself", False),
    ("block", "shut a device: it is taken off, and nothing more is said to it", True),
    ("allow", "take a block or a quarantine back: the device counts as it did before", False),
)
LISTEN_S: Final = 8.0

Run = Callable[[argparse.Namespace], int]


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", run: Run) -> None:
    """Add `hems device` to the command line; `run` is what each of its commands runs."""
    device = commands.add_parser("device", help="find, add, test, list, show and remove devices")
    actions = device.add_subparsers(required=True, metavar="ACTION", dest="action")

    scan = actions.add_parser("scan", help="look for devices in the local networks")
    scan.add_argument("--json", action="store_true", help="print JSON")
    scan.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="ask this local host only; may be repeated",
    )
    scan.add_argument(
        "--listen", type=_seconds, default=LISTEN_S, metavar="TIME", help="default 8s"
    )

    add = actions.add_parser("add", help="look at a device, test it and keep it")
    add.add_argument("name", help="what you call it")
    add.add_argument("--found", type=int, metavar="NUMBER", help="a result of the last scan")
    for key, text in _PLAIN:
        add.add_argument(f"--{key}", help=text)
    for key, text in _NUMBERS:
        add.add_argument(f"--{key}", type=int, help=text, metavar="N")
    add.add_argument(
        "--keep", action="store_true", help="such as a medical device: the same as essentiality 9"
    )
    add.add_argument("--connected-to", metavar="A,B,C", help="phases of the home it is on")
    add.add_argument("--comfort", metavar="LOW..HIGH", help="degC that people want, such as 18..23")
    add.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key of its section, as in docs/settings.md; may be repeated",
    )
    add.add_argument("--no-test", action="store_true", help="without a test move")
    add.add_argument("--force", action="store_true", help="even if its test move fails")
    add.add_argument("--yes", action="store_true", help="ask nothing; what is not given is default")
    _move(add)

    test = actions.add_parser("test", help="do a device's test move")
    test.add_argument("device", help="its id")
    _move(test)

    listing = actions.add_parser("list", help="list the configured devices")
    listing.add_argument("--json", action="store_true", help="print JSON")

    show = actions.add_parser("show", help="all that is known of a device")
    show.add_argument("device", help="its id")
    show.add_argument("--json", action="store_true", help="print JSON")

    remove = actions.add_parser("remove", help="take a device out of the devices file")
    remove.add_argument("device", help="its id")
    remove.add_argument("--yes", action="store_true", help="ask nothing")

    trust = actions.add_parser("trust", help="how each device stands with the running hub")
    trust.add_argument("--json", action="store_true", help="print JSON")
    judging = [
        _judging(actions.add_parser(name, help=text), needs_why=needs_why)
        for name, text, needs_why in _JUDGING
    ]

    for parser in (scan, add, test, listing, show, remove, trust, *judging):
        parser.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help="the home's configuration; else hems.toml of HEMS_HOME, here, or the package's",
        )
        parser.add_argument("--url", help="the running hub's page, if not as configured")
        parser.set_defaults(run=run)


def _judging(parser: argparse.ArgumentParser, *, needs_why: bool) -> argparse.ArgumentParser:
    parser.add_argument("device", help="its id")
    parser.add_argument("--why", required=needs_why, default="", help="for the log")
    return parser


def _move(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--move", type=_move_time, default=MOVE_S, metavar="TIME", help="of each step, default 10s"
    )


def _seconds(text: str) -> float:
    try:
        return units.duration_s(text)
    except units.UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _move_time(text: str) -> float:
    seconds = _seconds(text)
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"a step lasts {SHORTEST_S:g} s to {LONGEST_S:g} s")
    return seconds


def given(options: argparse.Namespace) -> dict[str, str | int | bool]:
    """Return the keys of a device's section that were given as options of their own."""
    names = [name for name, _ in (*_PLAIN, *_NUMBERS)]
    values = {name: getattr(options, name) for name in names}
    if options.keep:
        values["keep"] = True
    return {name: value for name, value in values.items() if value is not None}
