"""`hems reserves`: what the running home has offered the grid as reserve, and what was called."""

import urllib.error
from collections.abc import Sequence
from datetime import datetime, tzinfo

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands import home_time
from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.output import fail
from hems.commands.way_in import credentials, hint, unanswered


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Offer(_Part):
    product: str
    starts_at: float
    ends_at: float
    power_w: float
    energy_wh: float
    state: str


class _Commitment(_Part):
    product: str
    utility: str
    starts_at: float
    ends_at: float
    power_w: float
    left_wh: float
    short_w: float
    state: str


class _Call(_Part):
    program: str
    starts_at: float
    ends_at: float
    asked_w: float
    promised_wh: float
    delivered_wh: float | None
    settled_s: float | None
    over: bool


class _Reserves(_Part):
    time_zone: str
    offers: list[_Offer]
    commitments: list[_Commitment]
    calls: list[_Call]
    able_w: float
    able_for_s: float


def show(url: str) -> int:
    """Print the reserve of the home whose page is at `url`; returns the exit code."""
    try:
        text = fetch(f"{url.rstrip('/')}/api/reserves", headers=credentials(url))
        if not text:
            print("this home offers no reserve")
            return 0
        found = _Reserves.model_validate_json(text)
    except NoAnswerError as error:
        return fail(unanswered(url, error))
    except urllib.error.HTTPError as error:
        with error:
            said = f"{url} answers {error.code} {error.reason}, not with a reserve"
            return fail(said + hint(error.code))
    except ValidationError:
        return fail(f"{url} answers, but not as a home's page does")
    for line in _lines(found, home_time.zone(found.time_zone)):
        print(line)
    return 0


def _lines(found: _Reserves, zone: tzinfo) -> Sequence[str]:
    def times(starts_at: float, ends_at: float) -> str:
        begins, ends = (datetime.fromtimestamp(at, zone) for at in (starts_at, ends_at))
        return f"{begins:%a %H:%M} - {ends:%H:%M}"

    hours = found.able_for_s / 3600.0
    lines = [f"{'able now':<10} {found.able_w / 1000:.2f} kW less for {hours:.3g} h"]
    lines += [
        f"{'offer':<10} {times(o.starts_at, o.ends_at)}  {o.power_w / 1000:.2f} kW, "
        f"{o.energy_wh / 1000:.2f} kWh, {o.product}: {o.state}"
        for o in found.offers
    ]
    lines += [
        f"{'commitment':<10} {times(c.starts_at, c.ends_at)}  {c.power_w / 1000:.2f} kW, "
        f"{c.left_wh / 1000:.2f} kWh left, {c.product} for {c.utility}: {c.state}"
        + (f", lacks {c.short_w / 1000:.2f} kW" if c.short_w > 0 else "")
        for c in found.commitments
    ]
    lines += [f"{'call':<10} {times(c.starts_at, c.ends_at)}  {_call(c)}" for c in found.calls]
    return lines


def _call(call: _Call) -> str:
    if call.delivered_wh is None:
        given = "nobody knows how much was delivered"
    else:
        given = f"{call.delivered_wh / 1000:.2f} of {call.promised_wh / 1000:.2f} kWh delivered"
    there = "" if call.settled_s is None else f", in full after {call.settled_s:.0f} s"
    return f"{call.asked_w / 1000:.2f} kW for {call.program}: {given}{there}" + (
        ", over" if call.over else ""
    )
