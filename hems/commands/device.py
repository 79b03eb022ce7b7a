"""`hems device ...`: from the arguments to what each command runs."""

import argparse
import logging
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from hems.commands import device_list, device_move, device_scan, device_trust
from hems.commands.device_add import AddOptions
from hems.commands.device_add import run as add
from hems.commands.device_arguments import given
from hems.commands.device_ask import AnswerError, comfort, phases
from hems.commands.output import fail
from hems.commands.way_in import home_file
from hems.settings.config import there
from hems.settings.devices_file import Value
from hems.setup.scan import Search

EXIT_USAGE: Final = 2


def run(options: argparse.Namespace) -> int:
    """Run one of the commands; returns the exit code."""
    options.config = options.config or home_file()
    if options.action != "scan" and not there(options.config):
        return fail(
            f"{options.config}: there is no such configuration; an empty file will do to begin "
            "with, and --config names another"
        )
    try:
        with _drivers_quiet():
            return _RUN[options.action](options)
    except AnswerError as error:
        print(f"hems: {error}", file=sys.stderr)
        return EXIT_USAGE


@contextmanager
def _drivers_quiet() -> Iterator[None]:
    """Keep the drivers' warnings away: what matters of them comes as the command's own error."""
    drivers = logging.getLogger("der")
    before = drivers.level
    drivers.setLevel(logging.ERROR)
    try:
        yield
    finally:
        drivers.setLevel(before)


def _scan(options: argparse.Namespace) -> int:
    return device_scan.run(
        device_scan.ScanOptions(
            options.config,
            options.url,
            Search(options.at, options.listen),
            as_json=options.json,
        )
    )


def _add(options: argparse.Namespace) -> int:
    keys: dict[str, Value] = {**given(options)}
    if options.connected_to is not None:
        keys |= phases(options.connected_to)
    if options.comfort is not None:
        keys |= comfort(options.comfort)
    for setting in options.set:
        keys |= setting_of(setting)
    return add(
        AddOptions(
            options.config,
            options.name,
            keys,
            found=options.found,
            url=options.url,
            asks=sys.stdin.isatty() and not options.yes,
            tests=not options.no_test,
            force=options.force,
            move_s=options.move,
        )
    )


def _test(options: argparse.Namespace) -> int:
    return device_move.run(options.config, options.device, options.url, options.move)


def _list(options: argparse.Namespace) -> int:
    return device_list.listing(options.config, as_json=options.json)


def _show(options: argparse.Namespace) -> int:
    return device_list.show(options.config, options.device, options.url, as_json=options.json)


def _remove(options: argparse.Namespace) -> int:
    return device_list.remove(options.config, options.device, sure=options.yes)


def _trust(options: argparse.Namespace) -> int:
    return device_trust.listing(options.config, options.url, as_json=options.json)


def _judge(options: argparse.Namespace) -> int:
    return device_trust.judge(
        options.config, options.url, options.action, options.device, options.why
    )


_RUN: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "scan": _scan,
    "add": _add,
    "test": _test,
    "list": _list,
    "show": _show,
    "remove": _remove,
    "trust": _trust,
    "approve": _judge,
    "block": _judge,
    "allow": _judge,
}


def setting_of(text: str) -> Mapping[str, Value]:
    """Return what "KEY=VALUE" sets; a value that is not TOML is text: least_on=1380 W.

    Raises:
        AnswerError: It has no key, or a value that no key of a device has.
    """
    key, equals, written = text.partition("=")
    key = key.strip()
    if not (key and equals):
        raise AnswerError(f"--set {text}: not of the kind KEY=VALUE")
    try:
        value: object = tomllib.loads(f"value = {written.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = written.strip()
    if isinstance(value, str | int | float):  # a bool is an int
        return {key: value}
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return {key: [str(each) for each in value]}
    raise AnswerError(f"--set {text}: no key of a device has such a value")
