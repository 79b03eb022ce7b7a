"""What homes have borne before, as one figure: hours at full size in the time that is looked at.

A home of 2 kW that shed 1 kW for two hours has borne one hour, as has one of 10 kW that shed 5 kW.
One that joined lately is measured by the time since, so that it does not make up for what others
did before it came.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hems.headend.sharing.model import Ability, Rules

_DAY_S: Final = 86_400.0
_LEAST_DAYS: Final = 1.0
"""What a home bore in its first hours is not blown up to a month."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one home was asked for once.

    Attributes:
        home: Its LFDI.
        event: What for; orders of one event count as one event.
        start: Epoch s.
        end: Epoch s.
        power_w: What it was to move, or to forgo.
    """

    home: str
    event: str
    start: float
    end: float
    power_w: float


@dataclass(frozen=True, slots=True)
class Record:
    """What a home was asked for in the time that is looked at.

    Attributes:
        energy_wh: To be moved or forgone.
        events: How many events.
        days: For how much of that time it has been a member, days.
    """

    energy_wh: float = 0.0
    events: int = 0
    days: float = math.inf


def records(
    asked: Iterable[Asked], joined: Mapping[str, float], now: float, rules: Rules
) -> dict[str, Record]:
    """Sum up what homes were asked for.

    Args:
        asked: In any order; what lies before the time that is looked at counts for the part in it.
        joined: When homes came, epoch s; one that is not named has always been there.
        now: Epoch s.
        rules: See `Rules`.
    """
    since = now - rules.window_days * _DAY_S
    energies: dict[str, list[float]] = {}
    events: dict[str, set[str]] = {}
    for each in asked:
        seconds = min(each.end, now) - max(each.start, since)
        if seconds > 0:
            energies.setdefault(each.home, []).append(each.power_w * seconds / 3600.0)
            events.setdefault(each.home, set()).add(each.event)
    return {
        home: Record(
            math.fsum(energies.get(home, ())),
            len(events.get(home, ())),
            (now - joined[home]) / _DAY_S if home in joined else math.inf,
        )
        for home in {*energies, *joined}
    }


def burdens(
    homes: Iterable[Ability], known: Mapping[str, Record], rules: Rules
) -> dict[str, float]:
    """Return what each home has borne, in hours at its full size.

    A home without a record, or new today, counts as having borne what the others did on average.
    """
    borne: dict[str, float] = {}
    fresh: list[str] = []
    for home in homes:
        record = known.get(home.home)
        if record is None or record.days <= 0 or home.size_w == 0:
            fresh.append(home.home)
            continue
        days = max(min(record.days, rules.window_days), min(_LEAST_DAYS, rules.window_days))
        hours = record.energy_wh / home.size_w + record.events * rules.bother_h
        borne[home.home] = hours * rules.window_days / days
    mean = math.fsum(borne.values()) / len(borne) if borne else 0.0
    return borne | dict.fromkeys(fresh, mean)
