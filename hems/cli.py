"""The `hems` command: one parser, one function a sub-command.

Each sub-command imports what it runs when it runs: `hems run` must not pay at start-up, nor in
memory for ten years, for the demo, the head-end or the operator's commands.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hems import units
from hems.commands import (
    agent_arguments,
    device_arguments,
    doctor_arguments,
    enrol_arguments,
    export_arguments,
    firewall_arguments,
    firmware_arguments,
    home_arguments,
    keys_arguments,
    needs_arguments,
    operator_arguments,
    people_arguments,
    programme_arguments,
    scenario_arguments,
    security_arguments,
    visibility_arguments,
)

EXIT_USAGE = 2
MOST_DAYS = 366


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the process's exit code."""
    options = _parser().parse_args(arguments)  # the parser goes: `hems run` lasts for years
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads us (`| head`) has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except units.UnitError as error:
        print(f"hems: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hems", description=__doc__.partition("\n")[0])
    parser.add_argument("--version", action=_Version, nargs=0, help="which version this is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for add, run in (
        (home_arguments.add_run, _run),
        (home_arguments.add_enrol, _enrol),
        (home_arguments.add_renew, _renew),
        (keys_arguments.add_keys, _keys),
        (export_arguments.add_to, _export),
        (enrol_arguments.add_pki, _pki),
    ):
        add(commands, run)
    agent_arguments.add_to(commands, _agent)
    agent_arguments.add_manifest(commands, _manifest)
    home_arguments.add_keeping(commands, _backup, _restore, _wipe)

    demo = commands.add_parser("demo", help="a home, a utility and the page, on this machine")
    demo.add_argument(
        "--folder",
        type=Path,
        default=Path("var/demo"),
        metavar="DIR",
        help="where it keeps its files",
    )
    demo.add_argument(
        "--port", type=home_arguments.port, default=8080, help="the page's port, if free"
    )
    demo.add_argument("--speed", type=float, default=1.0, help="how much faster the house lives")
    demo.add_argument("--seed", type=int, default=1, help="of the house's kettles and clouds")
    demo.set_defaults(run=_demo)

    enrol_arguments.add_headend(commands, _headend, _enrol_operator, _enrol_answer)

    operator_arguments.add_event(commands, _event)
    operator_arguments.add_price(commands, _price)
    operator_arguments.add_reserve(commands, _reserve)
    operator_arguments.add_message(commands, _message)
    operator_arguments.add_homes(commands, _homes)

    device_arguments.add_to(commands, _device)
    firewall_arguments.add_to(commands, _firewall)
    needs_arguments.add_to(commands, car=_car, start=_start)
    visibility_arguments.add_to(commands, _visibility)
    people_arguments.add_to(commands, _people, _setup_code)
    security_arguments.add_to(commands, _security)

    plan = commands.add_parser("plan", help="what the running home is going to do, and why")
    plan.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    plan.add_argument("--json", action="store_true", help="all of it, as the page gets it")
    plan.set_defaults(run=_plan)

    money = commands.add_parser("money", help="what energy cost, and what control saved")
    money.add_argument("--days", type=_days, default=7, metavar="N", help="the last ones")
    money.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    money.set_defaults(run=_money)

    firmware_arguments.add_to(commands, _firmware, _update, _software)
    programme_arguments.add_to(commands, _programme)
    scenario_arguments.add_to(commands, _scenario)

    reserves = commands.add_parser("reserves", help="what is offered, committed, held and called")
    reserves.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    reserves.set_defaults(run=_reserves)

    island = commands.add_parser("island", help="how the home stands to its grid; part, return")
    choices = ("status", "leave", "return")
    island.add_argument("what", nargs="?", choices=choices, default="status", help="what to do")
    island.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    island.set_defaults(run=_island)

    doctor_arguments.add_to(commands, _doctor)

    status = commands.add_parser("status", help="how the running home stands")
    status.add_argument("--url", default="http://127.0.0.1:8080", help="the page's address")
    status.set_defaults(run=_status)
    return parser


class _Version(argparse.Action):
    """Say which version this is, read only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"hems {version('hems')}")
        parser.exit()


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days: 1 to {MOST_DAYS}")
    return days


def _run(options: argparse.Namespace) -> int:
    # For lists of a few callbacks its C++ runtime would take a megabyte as long as the hub runs.
    os.environ.setdefault("FROZENLIST_NO_EXTENSIONS", "1")
    from hems.commands.first_start import Place
    from hems.commands.run import run

    place = Place(options.config, options.home, options.host, options.port)
    return run(place, options.ready, verbose=options.verbose, parts=dict(options.log))


def _agent(options: argparse.Namespace) -> int:
    match options.what:
        case "run":
            from hems.commands.agent import run
        case "enrol":
            from hems.commands.enrol import run
        case "enrol-device":
            from hems.commands.enrol_device import run
        case _:
            from hems.commands.agent_ask import run

    return run(options)


def _manifest(options: argparse.Namespace) -> int:
    from hems.commands.manifest import run

    return run(options)


def _backup(options: argparse.Namespace) -> int:
    from hems.commands.backup import backup

    return backup(options)


def _restore(options: argparse.Namespace) -> int:
    from hems.commands.backup import restore

    return restore(options)


def _wipe(options: argparse.Namespace) -> int:
    from hems.commands.wipe import run

    return run(options)


def _enrol(options: argparse.Namespace) -> int:
    from hems.commands.enrol import run

    return run(options)


def _renew(options: argparse.Namespace) -> int:
    from hems.commands.renew import run

    return run(options)


def _keys(options: argparse.Namespace) -> int:
    from hems.commands.keys import run

    return run(options)


def _demo(options: argparse.Namespace) -> int:
    from hems.commands.demo import demo

    return demo(options.folder, port=options.port, speed=options.speed, seed=options.seed)


def _headend(options: argparse.Namespace) -> int:
    from hems.commands.headend import run

    return run(options.config)


def _enrol_operator(options: argparse.Namespace) -> int:
    from hems.commands.enrol_operator import run

    return run(options)


def _enrol_answer(options: argparse.Namespace) -> int:
    from hems.commands.enrol_answer import run

    return run(options)


def _event(options: argparse.Namespace) -> int:
    from hems.commands.event import run

    return run(options)


def _price(options: argparse.Namespace) -> int:
    from hems.commands.price import run

    return run(options)


def _reserve(options: argparse.Namespace) -> int:
    from hems.commands.reserve_operator import run

    return run(options)


def _message(options: argparse.Namespace) -> int:
    from hems.commands.message import run

    return run(options)


def _homes(options: argparse.Namespace) -> int:
    from hems.commands.homes import run

    return run(options)


def _pki(options: argparse.Namespace) -> int:
    from hems.commands.pki import run

    return run(options)


def _device(options: argparse.Namespace) -> int:
    from hems.commands import device

    return device.run(options)


def _firewall(options: argparse.Namespace) -> int:
    from hems.commands import firewall

    return firewall.run(options)


def _car(options: argparse.Namespace) -> int:
    from hems.commands.needs import car

    return car(options)


def _start(options: argparse.Namespace) -> int:
    from hems.commands.needs import start

    return start(options)


def _visibility(options: argparse.Namespace) -> int:
    from hems.commands.visibility import run

    return run(options)


def _people(options: argparse.Namespace) -> int:
    from hems.commands.people import run

    return run(options)


def _setup_code(options: argparse.Namespace) -> int:
    from hems.commands.people import setup_code

    return setup_code(options.home)


def _security(options: argparse.Namespace) -> int:
    from hems.commands.security import run

    return run(options)


def _programme(options: argparse.Namespace) -> int:
    from hems.commands.programme import run

    return run(options)


def _scenario(options: argparse.Namespace) -> int:
    from hems.commands.scenario import run

    return run(options)


def _status(options: argparse.Namespace) -> int:
    from hems.commands.status import show

    return show(options.url)


def _doctor(options: argparse.Namespace) -> int:
    from hems.commands.doctor import run

    return run(options)


def _plan(options: argparse.Namespace) -> int:
    from hems.commands.plan import show

    return show(options.url, as_json=options.json)


def _island(options: argparse.Namespace) -> int:
    from hems.commands.island import run

    return run(options)


def _reserves(options: argparse.Namespace) -> int:
    from hems.commands.reserves import show

    return show(options.url)


def _money(options: argparse.Namespace) -> int:
    from hems.commands.money import show

    return show(options.url, options.days)


def _firmware(options: argparse.Namespace) -> int:
    from hems.commands.firmware import run

    return run(options)


def _update(options: argparse.Namespace) -> int:
    from hems.commands.firmware import update

    return update(options)


def _software(options: argparse.Namespace) -> int:
    from hems.commands.software import run

    return run(options)


def _export(options: argparse.Namespace) -> int:
    from hems.commands.export import run

    return run(options)
