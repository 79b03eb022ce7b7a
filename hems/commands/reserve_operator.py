"""`hems reserve`: the operator lists, grants and cancels flow reservations at the head-end."""

import argparse

from hems import units
from hems.commands.operator import OperatorError, Told, ask, part, plain, when
from hems.commands.output import fail


class _Response(Told):
    status: int
    meaning: str
    at: int


class _Grant(Told):
    id: str
    start: int
    duration_s: int
    power_w: float
    energy_wh: float
    state: str
    responses: list[_Response]


class _Reservation(Told):
    id: str
    lfdi: str
    description: str
    state: str
    start: int
    duration_s: int
    power_w: float
    energy_wh: float
    grants: list[_Grant]


class _Reservations(Told):
    reservations: list[_Reservation]


def run(options: argparse.Namespace) -> int:
    """Run `hems reserve`; returns the exit code.

    Raises:
        UnitError: An amount or time is not one.
    """
    if options.action == "list":
        return _list(options)
    if options.id is None:
        return fail(f"say which: hems reserve {options.action} ID (hems reserve list shows them)")
    place = f"/reservations/{part(options.id)}/{options.action}"
    try:
        body = _wish(options) if options.action == "grant" else {}
        _print(ask(options.operator, "POST", place, _Reservation, body))
    except OperatorError as error:
        return fail(str(error))
    return 0


def _list(options: argparse.Namespace) -> int:
    try:
        found = ask(options.operator, "GET", "/reservations", _Reservations).reservations
    except OperatorError as error:
        return fail(str(error))
    if not found:
        print("no home has asked for a reservation yet")
    for reservation in found:
        _print(reservation)
    return 0


def _wish(options: argparse.Namespace) -> dict[str, object]:
    wish: dict[str, object] = {}
    if options.power is not None:
        wish["power_w"] = units.power_w(options.power)
    if options.energy is not None:
        wish["energy_wh"] = units.energy_wh(options.energy)
    if options.start is not None:
        wish["start"] = options.start
    if options.minutes is not None:
        wish["minutes"] = options.minutes
    if options.raw:
        wish["raw"] = True
    return wish


def _print(reservation: _Reservation) -> None:
    name = f" ({plain(reservation.description)})" if reservation.description else ""
    print(
        f"{reservation.id}  {reservation.state:<10} home {reservation.lfdi[:8]}{name} "
        f"{_amounts(reservation.power_w, reservation.energy_wh)}, "
        f"{_when(reservation.start, reservation.duration_s)}"
    )
    for grant in reservation.grants:
        print(
            f"    {grant.id}  {grant.state:<10} {_amounts(grant.power_w, grant.energy_wh)}, "
            f"{_when(grant.start, grant.duration_s)}"
        )
        for answer in grant.responses:
            print(f"        {when(answer.at, '%H:%M:%S')}  {answer.status} {answer.meaning}")


def _amounts(power_w: float, energy_wh: float) -> str:
    side = "discharges" if min(power_w, energy_wh) < 0 else "charges"
    return f"{side} {abs(energy_wh):g} Wh at {abs(power_w):g} W"


def _when(start: int, duration_s: int) -> str:
    return f"{when(start)} for {duration_s / 60:g} min"
