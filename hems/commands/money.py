"""`hems money`: what the home's energy cost in the last days, and what control saved."""

import urllib.error
from datetime import datetime, tzinfo

from pydantic import BaseModel, ConfigDict, ValidationError

from hems.commands import home_time
from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.output import fail
from hems.commands.way_in import credentials, hint, unanswered

_ALL_METERED = 0.995
_HEAD = (
    f"{'day':<10} {'cost':>9} {'saved':>9} {'on greedy':>9} {'currency':<8} "
    f"{'taken':>10} {'given':>10} {'own sun':>7} {'carbon':>9}"
)
_FOOT = (
    "saved: against this home without control; on greedy: against one whose battery only evens "
    "the meter out"
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Day(_Part):
    start: float
    currency: str
    import_wh: float
    export_wh: float
    total: float
    saved_no_control: float | None
    saved_greedy: float | None
    carbon_kg: float | None
    self_consumption: float | None
    measured: float


class _Money(_Part):
    time_zone: str
    periods: list[_Day]


def show(url: str, days: int) -> int:
    """Print the accounts of the home whose page is at `url`; returns the exit code.

    Args:
        url: The page's address.
        days: How many days, today being the last of them.
    """
    try:
        text = fetch(f"{url.rstrip('/')}/api/money?days={days}", headers=credentials(url))
        money = _Money.model_validate_json(text)
    except NoAnswerError as error:
        return fail(unanswered(url, error))
    except urllib.error.HTTPError as error:
        with error:
            said = f"{url} answers {error.code} {error.reason}, not with accounts"
            return fail(said + hint(error.code))
    except ValidationError:
        return fail(f"{url} answers, but not as a home's page does")
    if not money.periods:
        print("there are no accounts of these days")
        return 0
    zone = home_time.zone(money.time_zone)
    print(_HEAD)
    for day in money.periods:
        print(_line(day, zone))
    print(_FOOT)
    return 0


def _line(day: _Day, zone: tzinfo) -> str:
    name = datetime.fromtimestamp(day.start, zone).date().isoformat()
    gap = "" if day.measured >= _ALL_METERED else f"  {day.measured:.0%} metered"
    return (
        f"{name:<10} {day.total:>9.2f} {_money(day.saved_no_control)} {_money(day.saved_greedy)} "
        f"{day.currency:<8} {day.import_wh / 1000:>6.1f} kWh {day.export_wh / 1000:>6.1f} kWh "
        f"{_share(day.self_consumption)} {_carbon(day.carbon_kg)}{gap}"
    )


def _money(amount: float | None) -> str:
    return f"{'?':>9}" if amount is None else f"{amount:>9.2f}"


def _share(share: float | None) -> str:
    return f"{'-':>7}" if share is None else f"{share:>7.0%}"


def _carbon(carbon_kg: float | None) -> str:
    return f"{'-':>9}" if carbon_kg is None else f"{carbon_kg:>6.1f} kg"
