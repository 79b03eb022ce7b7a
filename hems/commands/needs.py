"""`hems car`, `hems start`: what is wanted of cars and appliances, said to the running home."""

import argparse
from collections.abc import Mapping
from datetime import tzinfo
from urllib.parse import quote

from hems import units
from hems.commands import home_time
from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told


class _Car(Told):
    device: str
    mode: str
    ready_at: float | None
    energy_wh: float | None
    taken_wh: float | None
    usual_wh: float | None
    ordered: bool


class _Run(Told):
    device: str
    asked: bool
    ready_by: float | None
    ends_at: float | None


class _Needs(Told):
    time_zone: str
    cars: list[_Car]
    runs: list[_Run]


def car(options: argparse.Namespace) -> int:
    """Show or say what a car is to have; returns the exit code.

    Raises:
        UnitError: A quantity has no unit, or a wrong one.
    """
    body = _asked_of_car(options)
    if options.id is None and (body or options.usual):
        return fail("say which car is meant: the id of its charger")
    if options.usual and body:
        return fail("--usual takes back what is asked; it goes with nothing else")
    page = Page(options.url)
    try:
        if options.id is not None:
            path = f"/api/cars/{quote(options.id, safe='')}/order"
            _say(page, path, body or None, back=options.usual)
        needs = page.get("/api/needs", _Needs)
        zone = home_time.zone(needs.time_zone)
        for found in needs.cars:
            if options.id in {None, found.device}:
                print(_car_line(found, zone))
    except PageError as error:
        return fail(str(error))
    return 0


def _asked_of_car(options: argparse.Namespace) -> dict[str, str | float]:
    body: dict[str, str | float] = {}
    if options.ready is not None:
        body["ready"] = options.ready
    if options.energy is not None:
        body["energy_wh"] = units.energy_wh(options.energy)
    if options.mode is not None:
        body["mode"] = options.mode
    if options.lasts is not None:
        body["seconds"] = units.duration_s(options.lasts)
    return body


def _say(page: Page, path: str, body: Mapping[str, str | float] | None, *, back: bool) -> None:
    """Ask for something, or take it back; nothing without a body."""
    if back:
        page.delete(path)
    elif body is not None:
        page.post(path, body)


def start(options: argparse.Namespace) -> int:
    """Have an appliance run, or take that back; returns the exit code."""
    if options.id is None and (options.ready or options.cancel):
        return fail("say which appliance is meant")
    if options.cancel and options.ready:
        return fail("--cancel takes back what is asked; it goes with nothing else")
    page = Page(options.url)
    try:
        if options.id is not None:
            path = f"/api/appliances/{quote(options.id, safe='')}/run"
            body = {} if options.ready is None else {"ready": options.ready}
            _say(page, path, body, back=options.cancel)
        needs = page.get("/api/needs", _Needs)
        zone = home_time.zone(needs.time_zone)
        for found in needs.runs:
            if options.id in {None, found.device}:
                print(_run_line(found, zone))
    except PageError as error:
        return fail(str(error))
    return 0


def _car_line(car: _Car, zone: tzinfo) -> str:
    parts = [f"{car.device:<16} {car.mode}"]
    if car.ready_at is not None:
        parts.append(f"ready by {home_time.words(car.ready_at, zone)}")
    if car.energy_wh is not None:
        parts.append(f"needs {_kwh(car.energy_wh)}")
    elif car.usual_wh is not None:
        parts.append(f"usually takes {_kwh(car.usual_wh)}")
    if car.taken_wh is not None:
        parts.append(f"has drawn {_kwh(car.taken_wh)}")
    if car.ordered:
        parts.append("as asked")
    return ", ".join(parts)


def _run_line(run: _Run, zone: tzinfo) -> str:
    if run.ends_at is not None:
        return f"{run.device:<16} runs until {home_time.words(run.ends_at, zone)}"
    if run.ready_by is not None:
        return f"{run.device:<16} waits, ready by {home_time.words(run.ready_by, zone)}"
    return f"{run.device:<16} nothing is asked of it"


def _kwh(energy_wh: float) -> str:
    return f"{energy_wh / 1000:.1f} kWh"
