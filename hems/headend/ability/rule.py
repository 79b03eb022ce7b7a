"""What one home could do now, by what it told: pure, and conservative where it told nothing.

Three ways to help: take less (shed), give power (generate), take more (absorb). Powers are positive
in the way that they are named. What is not known is 0 W and says why; it is never made up.

What drifts, such as a state of charge, counts for a while after it was told. A load that could be
shed has no date and is told when it changes: it counts for as long as its home is heard of. Of two
words on the same thing the lesser counts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from hems.headend.ability.told import FOR_ALL, Der, Shed, Told

_HOUR_S: Final = 3600.0


class Why(StrEnum):
    """Where an amount comes from, or why there is none."""

    TOLD = "told"
    """The home said so."""
    RATED = "rated"
    """By its ratings and its state of charge."""
    OFF = "not connected"
    """The home said that its DER is switched off or not connected."""
    UNTIMED = "not said for how long"
    """It is known at once, and for no time."""
    SILENT = "never told"
    OLD = "told too long ago"
    NO_READING = "no meter reading"
    """It is a share of what it takes, and that is not known."""


_KNOWN: Final = frozenset({Why.TOLD, Why.RATED, Why.OFF})


@dataclass(frozen=True, slots=True)
class Amount:
    """What a home could do one way.

    Attributes:
        power_w: At most; 0 where nobody knows.
        energy_wh: Until it is empty, full or done; infinite where that does not matter.
        why: Where it comes from.
    """

    power_w: float
    energy_wh: float
    why: Why

    def known(self, duration_s: float = 0.0) -> bool:
        """Return whether it is known what can be held for a time; 0 W may well be."""
        return self.why in _KNOWN or (self.why is Why.UNTIMED and duration_s <= 0)

    def held_w(self, duration_s: float) -> float:
        """Return what can be held for a time, W; what there is at once for no time."""
        if duration_s <= 0 or math.isinf(self.energy_wh):
            return self.power_w
        return min(self.power_w, self.energy_wh * _HOUR_S / duration_s)


@dataclass(frozen=True, slots=True)
class Rules:
    """For how long what a home told counts.

    Attributes:
        heard_s: Who was not heard of for longer is out of reach.
        told_s: What it said of its DER and its loads.
        read_s: A meter reading.
    """

    heard_s: float = 900.0
    told_s: float = 3600.0
    read_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Able:
    """What a home could do now.

    Attributes:
        shed: Take so much less.
        generate: Give so much.
        absorb: Take so much more.
        reachable: Whether it was heard of lately.
        net_w: What it takes now, W, import positive; None where no reading is fresh.
    """

    shed: Amount
    generate: Amount
    absorb: Amount
    reachable: bool
    net_w: float | None


def able(
    told: Told,
    now: float,
    rules: Rules,
    *,
    programme: int | None = None,
    largest_w: float | None = None,
) -> Able:
    """Return what a home could do, and may be asked for.

    Args:
        told: What is known of it.
        now: Epoch s.
        rules: For how long that counts.
        programme: Index of the programme by which load would be shed; None for whichever the most
            could be shed by.
        largest_w: By how much an event may change its power by its contract; None for any.
    """
    most_w = math.inf if largest_w is None else largest_w
    net_w = told.net_w if _fresh(told.net_at, now, rules.read_s) else None
    der = told.der or Der()
    return Able(
        shed=_at_most(most_w, _shed(told, net_w, now, rules, programme)),
        generate=_at_most(most_w, _way(_give(der), der, now, rules)),
        absorb=_at_most(most_w, _way(_take(der), der, now, rules)),
        reachable=_fresh(told.heard_at, now, rules.heard_s),
        net_w=net_w,
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """Giving or taking: what was said, and what ratings allow.

    Attributes:
        said_w: What it said that it could do.
        said_s: For how long.
        rated_w: What its storage is rated for.
        left: How much of the storage is left for it, 0 to 1.
    """

    said_w: float | None
    said_s: float | None
    rated_w: float | None
    left: float | None


def _give(der: Der) -> _Way:
    return _Way(der.give_w, der.give_s, der.discharge_w, der.soc)


def _take(der: Der) -> _Way:
    left = None if der.soc is None else 1.0 - der.soc
    return _Way(der.take_w, der.take_s, der.charge_w, left)


def _at_most(most_w: float, amount: Amount) -> Amount:
    return amount if amount.power_w <= most_w else replace(amount, power_w=most_w)


def _way(way: _Way, der: Der, now: float, rules: Rules) -> Amount:
    known = _fresh(der.status_at, now, rules.told_s)
    if known and der.off:
        return Amount(0.0, 0.0, Why.OFF)
    held_wh: float | None = None
    if known and way.left is not None and der.capacity_wh is not None:
        held_wh = max(way.left, 0.0) * der.capacity_wh
    if way.said_w is not None and _fresh(der.said_at, now, rules.told_s):
        return _said(max(way.said_w, 0.0), way.said_s, held_wh)
    if held_wh is not None and way.rated_w:
        return Amount(way.rated_w if held_wh else 0.0, held_wh, Why.RATED)
    once = way.said_w is not None or (way.left is not None and bool(way.rated_w))
    return Amount(0.0, 0.0, Why.OLD if once else Why.SILENT)


def _said(power_w: float, for_s: float | None, held_wh: float | None) -> Amount:
    """Return what a home said, for as long as it said, and for what its storage holds."""
    if power_w and for_s is None and held_wh is None:
        return Amount(power_w, 0.0, Why.UNTIMED)
    lasts_wh = _energy_wh(power_w, for_s) if power_w else 0.0
    energy_wh = lasts_wh if held_wh is None else min(lasts_wh, held_wh)
    return Amount(power_w if energy_wh else 0.0, energy_wh, Why.TOLD)


def _shed(
    told: Told, net_w: float | None, now: float, rules: Rules, programme: int | None
) -> Amount:
    def amount(shed: Shed) -> Amount:
        at = shed.said_at if told.heard_at is None else max(told.heard_at, shed.said_at)
        return _load(shed, net_w, fresh=_fresh(at, now, rules.told_s))

    sheds: Mapping[int, Shed] = told.sheds
    if not sheds:
        return Amount(0.0, 0.0, Why.SILENT)
    if programme is None:  # each is of the same load
        return max(map(amount, sheds.values()), key=lambda each: (each.known(), each.power_w))
    one = sheds.get(programme) or sheds.get(FOR_ALL)
    if one is not None:
        return amount(one)
    return min(map(amount, sheds.values()), key=lambda each: (each.power_w, each.known()))


def _load(shed: Shed, net_w: float | None, *, fresh: bool) -> Amount:
    if shed.power_w is None and shed.share is None:
        return Amount(0.0, 0.0, Why.SILENT)
    if not fresh:
        return Amount(0.0, 0.0, Why.OLD)
    if shed.power_w is not None:
        power_w = max(shed.power_w, 0.0)
    elif net_w is None:
        return Amount(0.0, 0.0, Why.NO_READING)
    else:
        power_w = (shed.share or 0.0) * max(net_w, 0.0)
    return Amount(power_w, _energy_wh(power_w, shed.for_s), Why.TOLD)


def _energy_wh(power_w: float, for_s: float | None) -> float:
    return math.inf if for_s is None else power_w * for_s / _HOUR_S


def _fresh(at: float | None, now: float, within_s: float) -> bool:
    return at is not None and now - at <= within_s
