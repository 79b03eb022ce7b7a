"""`hems headend health|signals`: how the fleet is, and what is not as it was."""

import argparse
import time

from hems.commands.operator import OperatorError, Told, ask, plain, when
from hems.commands.output import fail

_HOUR_S = 3600.0


class _Signal(Told):
    severity: str
    rule: str
    text: str
    since: float
    ended: float | None


class _Signals(Told):
    signals: list[_Signal]


class _Health(Told):
    state: str
    homes: int
    heard: dict[str, int]
    hubs: dict[str, int]
    workers: int
    signals: dict[str, int]
    outages: list[str]


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        if options.what == "health":
            _print_health(ask(options.operator, "GET", "/fleet/health", _Health))
        else:
            since = "" if options.since is None else f"?since={time.time() - _ago_s(options):.0f}"
            _print_signals(ask(options.operator, "GET", f"/signals{since}", _Signals))
    except OperatorError as error:
        return fail(str(error))
    return 0


def _ago_s(options: argparse.Namespace) -> float:
    return float(options.since) * _HOUR_S


def _print_health(found: _Health) -> None:
    heard = ", ".join(f"{count} within {span}" for span, count in found.heard.items())
    print(f"the fleet is {found.state}: {found.homes} homes, heard of {heard}")
    if found.hubs:
        print("hubs: " + ", ".join(f"{count} {state}" for state, count in found.hubs.items()))
    lasting = ", ".join(f"{count} {severity}" for severity, count in found.signals.items() if count)
    print(f"signals: {lasting or 'none'}; workers: {found.workers}")
    for group in found.outages:
        print(f"outage: {plain(group) or 'the whole fleet'}")


def _print_signals(found: _Signals) -> None:
    if not found.signals:
        print("no signals")
    for signal in found.signals:
        until = "" if signal.ended is None else f" until {when(signal.ended)}"
        text = plain(signal.text)
        print(f"{when(signal.since)}{until}  {signal.severity:<7}  {signal.rule}: {text}")
