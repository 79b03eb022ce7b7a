"""The arguments of `hems car` and `hems start`; light, since every command loads it."""

import argparse
from collections.abc import Callable

Run = Callable[[argparse.Namespace], int]


def add_to(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", *, car: Run, start: Run
) -> None:
    """Add both commands to the command line.

    Args:
        commands: Where to.
        car: What runs `hems car`.
        start: What runs `hems start`.
    """
    cars = commands.add_parser("car", help="what a car is to have, by when, and how")
    cars.add_argument("id", nargs="?", help="its charger; none shows all")
    cars.add_argument(
        "--ready", metavar="HH:MM", help="when it has to be ready, by the home's clock"
    )
    cars.add_argument("--energy", metavar="ENERGY", help="what it needs by then, such as '20 kWh'")
    cars.add_argument(
        "--mode",
        choices=["now", "cheapest", "solar"],
        help="at once; when it costs least; what the sun leaves over",
    )
    cars.add_argument("--for", dest="lasts", metavar="SPAN", help="how long this holds: '2 h'")
    cars.add_argument("--usual", action="store_true", help="back to what is configured")
    cars.set_defaults(run=car)
    starts = commands.add_parser("start", help="have an appliance run once, when it pays")
    starts.add_argument("id", nargs="?", help="the appliance; none shows all")
    starts.add_argument("--ready", metavar="HH:MM", help="when it has to be done")
    starts.add_argument("--cancel", action="store_true", help="take it back")
    starts.set_defaults(run=start)
    for parser in (cars, starts):
        parser.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
