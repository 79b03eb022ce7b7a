"""What a family house did in weeks gone by, computed from the calendar alone: always the same."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hems.reports.energy import Known
from hems.store.accounts import AccountRow
from hems.store.history import Sample
from tests.web.outlook import price
from tests.web.past import Past

QUARTER_S: Final = 900
HOUSE: Final[Mapping[str, Known]] = {
    "meter": Known("Meter", "meter"),
    "pv": Known("Roof", "pv"),
    "battery": Known("Battery", "battery"),
    "car": Known("Wallbox", "evse"),
    "heatpump": Known("Heat pump", "heat_pump"),
    "water": Known("Water heater", "water_heater"),
}
_BATTERY_WH: Final = 8000.0
_BATTERY_W: Final = 3500.0
_DAY_S: Final = 86_400
_SUMMER_S: Final = 7200
"""Summer time in Berlin is so far ahead of UTC."""
_EXPORT_PER_KWH: Final = 0.08
_DAILY_CHARGE: Final = 0.41
_KG_PER_KWH: Final = 0.31


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter-hour of the house: mean powers by device, W, passive sign; the battery's charge."""

    at: int
    power_w: Mapping[str, float]
    soc: float

    @property
    def used_w(self) -> float:
        """What the house itself drew."""
        return self.power_w["meter"] - self.power_w["pv"] - self.power_w["battery"]


def quarters(start: float, end: float) -> Iterator[Quarter]:
    """Yield each quarter-hour of a time in summer; the battery begins it half full."""
    held_wh = _BATTERY_WH / 2
    for at in range(int(start), int(end), QUARTER_S):
        day, hour = divmod((at + _SUMMER_S) / _DAY_S, 1.0)
        power = _drawn(int(day), hour * 24)
        wanted = -sum(power.values())
        room = (_BATTERY_WH - held_wh) * 3600 / QUARTER_S
        battery = max(-_BATTERY_W, -held_wh * 3600 / QUARTER_S, min(_BATTERY_W, room, wanted))
        held_wh += battery * QUARTER_S / 3600
        power["battery"] = battery
        power["meter"] = sum(power.values())
        del power["rest"]
        yield Quarter(at, power, held_wh / _BATTERY_WH)


def _drawn(day: int, hour: float) -> dict[str, float]:
    """Return what each part takes or gives by the day's weather and the hour."""
    bright, away = 0.25 + 0.75 * _chance(day), _chance(day + 0.5) < 0.35
    sun = max(0.0, math.sin((hour - 5.2) / 16 * math.pi)) if 5.2 < hour < 21.2 else 0.0
    night = 1.0 <= hour < 3.0 and not away
    return {
        "pv": -5200.0 * math.pow(sun, 1.4) * bright,
        "car": 7200.0 if night else 0.0,
        "heatpump": 1100.0 if 5.5 <= hour < 7 and bright < 0.6 else 60.0,
        "water": 2000.0 if 12.5 <= hour < 13.5 else 0.0,
        "rest": 310.0 + (60.0 if away else 190.0) * (1 + math.sin(hour * 0.9)) + _meals(hour, away),
    }


def _meals(hour: float, away: bool) -> float:
    times = ((7.0, 900.0),) if away else ((7.0, 1500.0), (12.4, 1900.0), (18.6, 2600.0))
    return sum(size * math.exp(-(((hour - at) / 0.35) ** 2)) for at, size in times)


def _chance(of: float) -> float:
    """Return a number from 0 to 1 that looks like chance and is always the same."""
    return math.modf(abs(math.sin(of * 12.9898)) * 43_758.5453)[0]


async def live(past: Past, start: float, end: float) -> None:
    """Have a past know what the house did, minute by minute."""
    samples = [
        Sample(q.at + 60.0 * minute, device, power_w, q.soc if device == "battery" else None)
        for q in quarters(start, end)
        for device, power_w in q.power_w.items()
        for minute in range(15)
    ]
    await past.store.history.append(samples)


async def pay(past: Past, start: float, end: float) -> None:
    """Have a past know what that cost."""
    rows = [_row(quarter) for quarter in quarters(start, end)]
    await past.store.accounts.put(rows, "{}", {}, settled=int(end), end=int(end))


def _row(quarter: Quarter) -> AccountRow:
    hours = QUARTER_S / 3600
    taken = max(0.0, quarter.power_w["meter"]) * hours
    given = max(0.0, -quarter.power_w["meter"]) * hours
    sun, used = -quarter.power_w["pv"] * hours, quarter.used_w * hours
    cost = taken / 1000 * price(quarter.at)
    return AccountRow(
        start=quarter.at,
        import_wh=taken,
        export_wh=given,
        sun_wh=sun,
        self_wh=max(0.0, sun - given),
        used_wh=used,
        own_wh=max(0.0, used - taken),
        cost=cost,
        revenue=given / 1000 * _EXPORT_PER_KWH,
        charges=_DAILY_CHARGE * QUARTER_S / _DAY_S,
        carbon_kg=taken / 1000 * _KG_PER_KWH,
        cost_no_control=cost * 1.3,
        cost_greedy=None,
        measured=1.0,
        registers=True,
        currency="EUR",
    )
