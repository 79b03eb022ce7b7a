"""`hems headend shares`: what is shared right now, over which homes, and who dropped out."""

import argparse
from collections.abc import Iterator

from hems.commands.operator import OperatorError, Told, ask, part, when
from hems.commands.output import fail


class _Event(Told):
    id: str
    event: str
    kind: str
    total_w: int
    start: float
    end: float
    short_w: float
    missing_w: float
    delivered_w: float
    measured: int
    told: list[int]
    homes: dict[str, int]


class _Upstream(Told):
    utility: str
    holder: str | None
    link: str | None
    events: list[_Event]


class _Share(Told):
    lfdi: str
    share_w: int
    part: str
    net_w: float | None


class _Shares(Told):
    shares: list[_Share]


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        found = ask(options.operator, "GET", "/upstream", _Upstream)
        for line in _heading(found):
            print(line)
        for event in found.events:
            for line in _lines(event):
                print(line)
            if options.homes:
                path = f"/upstream/events/{part(event.id)}"
                for share in ask(options.operator, "GET", path, _Shares).shares:
                    print(f"    {_home(share)}")
    except OperatorError as error:
        return fail(str(error))
    return 0


def _heading(found: _Upstream) -> Iterator[str]:
    link = "" if found.link is None else f", {found.link}"
    holder = "no worker is its client now" if found.holder is None else f"by {found.holder}"
    yield f"{found.utility}: {holder}{link}"
    if not found.events:
        yield "nothing is shared now"


def _lines(event: _Event) -> Iterator[str]:
    until = f"{when(event.start, '%m-%d %H:%M:%S')} to {when(event.end, '%H:%M:%S')}"
    yield f"{event.event}  {event.kind} {event.total_w} W, {until}"
    parts = ", ".join(f"{count} {name}" for name, count in event.homes.items())
    yield f"  homes: {parts or 'none'}"
    if event.missing_w > 0 or event.short_w > 0:
        yield f"  short of {event.missing_w:.0f} W; {event.short_w:.0f} W nobody could do"
    if event.measured:
        yield f"  {event.delivered_w:.0f} W by the meters of {event.measured}"
    codes = ", ".join(str(code) for code in event.told)
    yield f"  the utility was told: {codes or 'nothing yet'}"


def _home(share: _Share) -> str:
    net = "" if share.net_w is None else f", its meter {share.net_w:.0f} W"
    return f"{share.lfdi}  {share.share_w} W, {share.part}{net}"
