"""`hems visibility`: who may see what the home measures, and who has."""

import argparse
from datetime import UTC, datetime

from hems import units
from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told


class _Grant(Told):
    id: int
    recipient: str
    name: str
    purpose: str
    data: list[str]
    until: float
    holds: bool


class _Grants(Told):
    grants: list[_Grant]


class _Access(Told):
    at: float
    recipient: str
    name: str
    purpose: str
    asked: str
    allowed: bool


class _Accesses(Told):
    accesses: list[_Access]


def run(options: argparse.Namespace) -> int:
    """List grants or accesses, grant or withdraw; returns the exit code.

    Raises:
        UnitError: A time is none.
    """
    page = Page(options.url)
    try:
        if options.action == "grant":
            return _grant(page, options)
        if options.action == "withdraw":
            return _withdraw(page, options.id)
        if options.action == "accesses":
            return _accesses(page)
        return _list(page)
    except PageError as error:
        return fail(str(error))


def _grant(page: Page, options: argparse.Namespace) -> int:
    if options.id is None or options.lfdi is None:
        return fail("say who: hems visibility grant NAME --lfdi LFDI --for SPAN")
    page.post(
        "/api/grants",
        {
            "recipient": options.lfdi,
            "name": options.id,
            "purpose": options.purpose,
            "data": options.data.split(","),
            "until": page.after(units.duration_s(options.lasts)),
        },
    )
    return _list(page)


def _withdraw(page: Page, grant: str | None) -> int:
    if grant is None or not grant.isdigit():
        return fail("say which grant: hems visibility withdraw NUMBER (hems visibility shows them)")
    page.delete(f"/api/grants/{grant}")
    return _list(page)


def _list(page: Page) -> int:
    found = page.get("/api/grants", _Grants).grants
    if not found:
        print("nobody may see what this home measures")
    for grant in found:
        state = "until" if grant.holds else "ended"
        print(
            f"{grant.id:>3}  {grant.name:<20} {', '.join(grant.data)} for {grant.purpose}, "
            f"{state} {_day(grant.until)}  {grant.recipient}"
        )
    return 0


def _accesses(page: Page) -> int:
    found = page.get("/api/accesses", _Accesses).accesses
    if not found:
        print("nobody has asked")
    for access in found:
        who = access.name or access.recipient
        said = access.purpose if access.allowed else "refused"
        print(f"{_day(access.at)}  {who:<20} {access.asked} ({said})")
    return 0


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"
