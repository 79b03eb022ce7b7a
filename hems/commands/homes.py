"""`hems homes`: what the utility knows of its homes."""

import argparse
from collections.abc import Iterator

from hems.commands.operator import OperatorError, Told, ask, when
from hems.commands.output import fail


class _Status(Told):
    soc: float | None


class _Capability(Told):
    max_w: float
    max_charge_w: float | None
    max_wh: float | None


class _Availability(Told):
    give_w: float | None
    take_w: float | None
    duration_s: int | None
    reserve_percent: float | None


class _Shed(Told):
    program: str | None
    power_w: float | None
    percent: float | None
    duration_s: int | None


class _Home(Told):
    lfdi: str
    edition: str
    last_contact: float | None
    subscriptions: list[str]
    der_status: _Status | None
    der_capability: _Capability | None
    der_availability: _Availability | None
    load_shed: list[_Shed]


class _Homes(Told):
    homes: list[_Home]


def run(options: argparse.Namespace) -> int:
    """Run `hems homes`; returns the exit code."""
    try:
        found = ask(options.operator, "GET", "/homes", _Homes).homes
    except OperatorError as error:
        return fail(str(error))
    if not found:
        print("no home is entered yet")
    for home in found:
        print(_heading(home))
        for line in _lines(home):
            print(f"    {line}")
    return 0


def _heading(home: _Home) -> str:
    if home.last_contact is None:
        heard = "never heard of"
    else:
        heard = f"last heard of {when(home.last_contact, '%m-%d %H:%M:%S')}"
    lists = len(home.subscriptions)
    return f"{home.lfdi}  {home.edition}, {heard}, {lists} subscription{'' if lists == 1 else 's'}"


def _lines(home: _Home) -> Iterator[str]:
    status, capability, ready = home.der_status, home.der_capability, home.der_availability
    if capability is not None:
        storage = "" if capability.max_wh is None else f", stores {capability.max_wh:g} Wh"
        charge = _watts(", takes at most ", capability.max_charge_w)
        yield f"rated: gives at most {capability.max_w:g} W{charge}{storage}"
    if status is not None and status.soc is not None:
        yield f"state of charge {status.soc:.0%}"
    if ready is not None:
        could = _watts("give ", ready.give_w), _watts("take ", ready.take_w)
        words = ", ".join(part for part in could if part) or "say nothing"
        reserve = ready.reserve_percent
        held = "" if reserve is None else f", {reserve:g} % in reserve"
        yield f"could {words}{_lasting(ready.duration_s)}{held}"
    for shed in home.load_shed:
        words = _watts("", shed.power_w) or "an unknown power"
        share = "" if shed.percent is None else f" ({shed.percent:g} % of its load)"
        whose = "" if shed.program is None else f", for {shed.program}"
        yield f"could shed {words}{share}{_lasting(shed.duration_s)}{whose}"


def _watts(lead: str, power_w: float | None) -> str:
    return "" if power_w is None else f"{lead}{power_w:g} W"


def _lasting(duration_s: int | None) -> str:
    return "" if duration_s is None else f" for {duration_s / 60:g} min"
