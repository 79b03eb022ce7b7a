"""`hems programme`: what the running home takes part in, and what it delivered."""

import argparse
import sys
import time
from urllib.parse import quote, urlencode

from hems import units
from hems.commands.output import fail
from hems.commands.page import Page, PageError, Told

_KILO = 1000.0


class _About(Told):
    use_cases: list[str]
    title: str
    triggered_by: str
    asks: str
    ends: str
    carried_by: list[str]
    clause: str
    latency: str


class _Standing(Told):
    active: bool
    down_w: float
    up_w: float
    promise: str
    words: str


class _Programme(Told):
    id: str
    about: _About
    standing: _Standing
    joined: bool
    bound: str
    decided_by: str
    version: str
    consequence: list[str]
    missing: str


class _Programmes(Told):
    programmes: list[_Programme]


class _Record(Told):
    programme: str
    event: str
    asked_by: str
    starts_at: float
    ends_at: float
    asked: float
    unit: str
    delivered_wh: float | None
    promised_wh: float | None
    inside_share: float | None
    settled_s: float | None
    rebound_w: float | None
    opted_out: bool
    note: str


class _Records(Told):
    records: list[_Record]


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code.

    Raises:
        UnitError: A time has no unit, or a wrong one.
    """
    page = Page(options.url)
    try:
        match options.action:
            case "list":
                _list(page)
            case "show":
                _show(_found(page, options.id))
            case "records":
                _records(page, options)
            case "export":
                sys.stdout.write(
                    page.text(f"/api/settlement.{options.form}?{_asked(options)}").decode()
                )
            case _:
                return _decide(page, options)
    except PageError as error:
        return fail(str(error))
    return 0


def _list(page: Page) -> None:
    for each in page.get("/api/programmes", _Programmes).programmes:
        stands = "joined" if each.joined else "left"
        active = "  now: " + each.standing.words if each.standing.active else ""
        cases = ", ".join(each.about.use_cases)
        print(f"{each.id:<22} {cases:<14} {stands:<7} {each.about.title}{active}")


def _found(page: Page, programme: str) -> _Programme:
    if not programme:
        raise PageError("say which programme is meant; `hems programme list` shows them")
    listed = page.get("/api/programmes", _Programmes).programmes
    found = next((each for each in listed if each.id == programme), None)
    if found is None:
        raise PageError(f"There is no programme {programme!r}.")
    return found


def _show(programme: _Programme) -> None:
    about = programme.about
    print(f"{about.title} ({', '.join(about.use_cases) or 'the home itself'})")
    lines = {
        "set going by": about.triggered_by,
        "asks": about.asks,
        "ends": about.ends,
        "carried by": ", ".join(about.carried_by),
        "clause": about.clause,
        "acts within": about.latency,
        "promise": programme.standing.promise,
        "now": programme.standing.words,
        "takes part": _stands(programme),
        "cannot be joined": programme.missing,
        "cannot be left": programme.bound,
    }
    for name, text in lines.items():
        if text:
            print(f"  {name:<16} {text}")
    _consequence(programme)


def _stands(programme: _Programme) -> str:
    stands = "yes" if programme.joined else "no"
    return f"{stands}, decided by {programme.decided_by}" if programme.decided_by else stands


def _consequence(programme: _Programme) -> None:
    for number, sentence in enumerate(programme.consequence):
        print(f"  {'' if number else 'leaving it':<16} {sentence}")


def _decide(page: Page, options: argparse.Namespace) -> int:
    """Join or leave, after what it means was shown."""
    found = _found(page, options.id)
    lasts_s = None if options.lasts is None else units.duration_s(options.lasts)
    joins = options.action == "join"
    _show(found)
    if not joins and not found.bound and not options.yes and not _agreed():
        return fail(f"{found.id} was not left; --yes leaves without asking")
    body: dict[str, str | float] = {"by": options.by, "version": found.version}
    if lasts_s is not None:
        body["until"] = page.after(lasts_s)
    page.post(f"/api/programmes/{quote(found.id, safe='')}/{options.action}", body)
    print(f"{found.id} is {'joined' if joins else 'left'}")
    return 0


def _agreed() -> bool:
    """Return whether the person at the terminal says yes; without one the answer is no."""
    if not sys.stdin.isatty():
        return False
    return input("Leave it? [y/N] ").strip().lower() in {"y", "yes"}


def _asked(options: argparse.Namespace) -> str:
    return urlencode({"days": options.days, "programme": options.id})


def _records(page: Page, options: argparse.Namespace) -> None:
    records = page.get(f"/api/programmes/records?{_asked(options)}", _Records).records
    if not records:
        print("nothing that was asked of the home in these days is over")
    for each in records:
        print(_line(each))


def _line(record: _Record) -> str:
    start = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(record.starts_at))
    asked = "a curve" if record.unit == "curve" else f"{round(record.asked, 1):g} {record.unit}"
    parts = [f"{start} {record.programme:<16} {record.asked_by}: {asked}"]
    if record.delivered_wh is not None:
        whole = "" if record.promised_wh is None else f" of {record.promised_wh / _KILO:.2f}"
        parts.append(f"delivered {record.delivered_wh / _KILO:.2f}{whole} kWh")
    if record.inside_share is not None:
        parts.append(f"inside {record.inside_share:.1%}")
    if record.settled_s is not None:
        parts.append(f"after {record.settled_s:.1f} s")
    if record.rebound_w is not None:
        parts.append(f"rebound {record.rebound_w:.0f} W")
    if record.opted_out:
        parts.append("left by the owner")
    if record.note:
        parts.append(record.note)
    return "; ".join(parts)
