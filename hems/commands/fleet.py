"""`hems headend hubs|hub|hub-state|replace-hub`: the fleet's hubs and their lives."""

import argparse
from urllib.parse import urlencode

from hems.commands.operator import OperatorError, Told, ask, part, plain, when
from hems.commands.output import fail


class _Licence(Told):
    number: str
    valid_until: float | None


class _Hub(Told):
    id: str
    state: str
    since: float
    lfdi: str | None
    site: str | None
    licence: _Licence | None
    largest_event_w: int | None
    replaces: str | None
    replaced_by: str | None
    groups: list[str]


class _Hubs(Told):
    hubs: list[_Hub]
    next: str | None


class _Change(Told):
    hub: str
    at: float
    who: str
    role: str
    deed: str
    before: str
    after: str
    why: str


class _History(Told):
    changes: list[_Change]
    next: int | None


class _Replaced(Told):
    old: _Hub
    new: _Hub


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        match options.what:
            case "hubs":
                return _list(options)
            case "hub":
                return _show(options)
            case "hub-state":
                wish = {"to": options.state, "reason": options.reason}
                path = f"/fleet/hubs/{part(options.id)}/state"
                _print(ask(options.operator, "POST", path, _Hub, wish))
            case _:
                wish = {"by": options.new, "reason": options.reason}
                path = f"/fleet/hubs/{part(options.old)}/replace"
                done = ask(options.operator, "POST", path, _Replaced, wish)
                _print(done.old)
                _print(done.new)
    except OperatorError as error:
        return fail(str(error))
    return 0


def _list(options: argparse.Namespace) -> int:
    asked = {name: value for name in ("state", "group", "site") if (value := vars(options)[name])}
    after: str | None = ""
    found = False
    while after is not None:
        query = urlencode({**asked, "limit": 1000, **({"after": after} if after else {})})
        page = ask(options.operator, "GET", f"/fleet/hubs?{query}", _Hubs)
        for hub in page.hubs:
            found = True
            _print(hub)
        after = page.next
    if not found:
        print("no such hub")
    return 0


def _show(options: argparse.Namespace) -> int:
    path = f"/fleet/hubs/{part(options.id)}"
    hub = ask(options.operator, "GET", path, _Hub)
    _print(hub)
    if hub.groups:
        print(f"    in {', '.join(hub.groups)}")
    if hub.licence is not None:
        ends = hub.licence.valid_until
        until = "" if ends is None else f" until {when(ends)}"
        print(f"    licence {plain(hub.licence.number)}{until}")
    if hub.largest_event_w is not None:
        print(f"    may be asked for {hub.largest_event_w} W at most")
    before: int | None = 0
    while before is not None:
        query = f"limit=1000&before={before}" if before else "limit=1000"
        page = ask(options.operator, "GET", f"{path}/history?{query}", _History)
        for change in page.changes:
            step = " -> ".join(each for each in (change.before, change.after) if each)
            why = f": {plain(change.why)}" if change.why else ""
            who = f"{plain(change.who)} ({change.role})"
            print(f"    {when(change.at)}  {change.hub}  {change.deed} {step}  by {who}{why}")
        before = page.next
    return 0


def _print(hub: _Hub) -> None:
    where = f", site {hub.site}" if hub.site else ", in stock"
    known = f", {hub.lfdi}" if hub.lfdi and hub.lfdi != hub.id else ""
    print(f"{hub.id}  {hub.state} since {when(hub.since)}{where}{known}")
