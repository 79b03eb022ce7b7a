"""`hems event progress`, `settle` and `availability`: what could be, is and was delivered."""

import argparse
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from pydantic import Field

from hems import units
from hems.commands.operator import Operator, OperatorError, Told, ask, ask_file, part, when
from hems.commands.output import fail

__all__ = ["Operator", "run"]

_LINES: Final = 20
"""Homes that are shown; a file has them all."""
_WAIT_S: Final = 300.0
_LOOK_S: Final = 1.0


class _Way(Told):
    w: float
    homes: int
    none: int
    unknown: dict[str, int]


class _Availability(Told):
    group: str | None
    begin: float = Field(alias="from")
    to: float
    homes: int
    reached: int
    not_reached: dict[str, int]
    shed: _Way
    generate: _Way
    absorb: _Way


class _Interval(Told):
    start: int
    asked_w: float | None
    delivered_w: float | None
    over_w: float | None
    homes: int
    missing: int


class _Delivery(Told):
    intervals: list[_Interval]


class _Progress(Told):
    id: str
    state: str
    homes: int
    states: dict[str, int]
    counted: str
    delivery: _Delivery | None
    silent: list[str]
    next: str | None


class _Home(Told):
    lfdi: str
    state: str
    delivered_wh: float | None
    share: float | None
    over_wh: float | None
    pay: float | None
    flags: list[str]


class _Total(Told):
    homes: int
    took_part: int
    measured: int
    asked_wh: float | None
    delivered_wh: float | None
    share: float | None
    over_wh: float | None
    pay: float | None
    flags: dict[str, int]


class _Settlement(Told):
    id: str
    state: str
    final: bool
    why_not_final: str | None
    baseline: str | None
    currency: str | None
    counted: str
    total: _Total | None
    homes: list[_Home]
    next: str | None


def run(options: argparse.Namespace) -> int:
    """Run one of them; returns the exit code.

    Raises:
        OperatorError: The head-end cannot be asked, or refuses.
        UnitError: A time is not one.
    """
    if options.action == "availability":
        _show_availability(options)
    elif options.id is None:
        return fail(f"say which event: hems event {options.action} ID (hems event list shows them)")
    elif options.action == "progress":
        _show_progress(options.operator, options.id)
    else:
        _settle(options)
    return 0


def _show_availability(options: argparse.Namespace) -> None:
    asked: dict[str, str] = {} if options.group is None else {"group": options.group}
    begin = time.time() + units.duration_s(options.start)
    if options.minutes is not None:
        asked |= {"from": f"{begin:.0f}", "to": f"{begin + options.minutes * 60:.0f}"}
    path = f"/availability?{urlencode(asked)}"
    found = ask(options.operator, "GET", path, _Availability, within_s=_WAIT_S)
    span = f"{when(found.begin)} to {when(found.to)}" if found.to > found.begin else "at once"
    print(f"{found.group or 'all homes'}, {span}: {found.reached} of {found.homes} homes reached")
    for why, homes in found.not_reached.items():
        print(f"    {homes} {why}")
    for name, way in (
        ("shed", found.shed),
        ("generate", found.generate),
        ("absorb", found.absorb),
    ):
        unknown = ", ".join(f"{homes} {why}" for why, homes in way.unknown.items())
        line = f"  {name:<9} {way.w:>12.0f} W  {way.homes} homes, {way.none} with nothing"
        print(f"{line}; not known: {unknown}" if unknown else line)


def _show_progress(operator: Path, event: str) -> None:
    path = f"/events/{part(event)}/progress?limit={_LINES}"
    found = ask(operator, "GET", path, _Progress, within_s=_WAIT_S)
    states = ", ".join(f"{homes} {state}" for state, homes in found.states.items() if homes)
    print(f"{found.id}  {found.state}: {found.homes} homes: {states or 'none'}")
    if found.counted == "being counted":
        print("    what is delivered is being counted; ask again")
    for each in () if found.delivery is None else found.delivery.intervals:
        missing = f", {each.missing} not known" if each.missing else ""
        if each.over_w is not None and each.delivered_w is None:
            said = f"over their limits by {each.over_w:.0f} W"
        else:
            said = f"{_watts(each.delivered_w)} of {_watts(each.asked_w)}"
        print(f"    {when(each.start, '%H:%M')}  {said}  ({each.homes} homes{missing})")
    for lfdi in found.silent:
        print(f"    no answer: {lfdi}")
    if found.next is not None:
        print("    ...")


def _settle(options: argparse.Namespace) -> None:
    place = f"/events/{part(options.id)}/settlement"
    for form in ("csv", "parquet"):
        file: Path | None = getattr(options, form)
        if file is not None:
            _keep(ask_file(options.operator, f"{place}.{form}", within_s=_WAIT_S), file)
            print(f"written: {file}")
            return
    found = ask(options.operator, "GET", f"{place}?limit={_LINES}", _Settlement, within_s=_WAIT_S)
    until = time.monotonic() + _WAIT_S
    while found.counted == "being counted" and time.monotonic() < until:
        time.sleep(_LOOK_S)
        found = ask(
            options.operator, "GET", f"{place}?limit={_LINES}", _Settlement, within_s=_WAIT_S
        )
    final = "final" if found.final else f"not final: {found.why_not_final}"
    method = "" if found.baseline is None else f", baseline: {found.baseline}"
    print(f"{found.id}  {found.state}, {final}{method}")
    if found.total is not None:
        _show_total(found.total, found.currency)
    for home in found.homes:
        flags = f"  ({', '.join(home.flags)})" if home.flags else ""
        print(f"    {home.lfdi}  {home.state:<11} {_brought(home, found.currency)}{flags}")
    if found.next is not None:
        print("    ... all homes: --csv FILE or --parquet FILE")


def _keep(content: bytes, file: Path) -> None:
    """Write a file; one that was there stays until the new one is whole."""
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_bytes(content)
        draft.replace(file)
    except OSError as error:
        raise OperatorError(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _show_total(total: _Total, currency: str | None) -> None:
    took = f"{total.took_part} of {total.homes} homes took part, {total.measured} measured"
    asked = "" if total.asked_wh is None else f", asked {total.asked_wh / 1000:.3f} kWh"
    print(f"  {took}{asked}: {_brought(total, currency)}")
    for flag, homes in total.flags.items():
        print(f"    {homes} with {flag}")


def _brought(each: _Home | _Total, currency: str | None) -> str:
    said: list[str] = []
    if each.delivered_wh is not None:
        share = "" if each.share is None else f" ({each.share:.0%})"
        said.append(f"{each.delivered_wh / 1000:.3f} kWh delivered{share}")
    if each.over_wh is not None:
        said.append(f"{each.over_wh / 1000:.3f} kWh over the limit")
    if each.pay is not None:
        said.append(f"{each.pay:.2f} {currency or ''}".rstrip())
    return ", ".join(said) or "nothing measured"


def _watts(power_w: float | None) -> str:
    return "?" if power_w is None else f"{power_w:.0f} W"
