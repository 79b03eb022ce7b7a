"""What one home could do now, by what it told: pure, and conservative where it told nothing.

Three ways to help: take less (shed), give power (generate), take more (absorb). Powers are positive
in the way that they are named. What is not known is 0 W and says why; it is never made up.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_HOUR_S: Final = 3600.0


class Why(StrEnum):
    """Where an amount comes from, or why there is none."""

    TOLD = "told"
    """The home said so."""
    RATED = "rated"
    """By its ratings and its state of charge."""
    OFF = "not connected"
    """The home said that its DER is not connected."""
    SILENT = "never told"
    OLD = "told too long ago"
    NO_READING = "no meter reading"
    """It is a share of what it takes, and that is not known."""

    @property
    def known(self) -> bool:
        """Whether the amount beside it is meant."""
        return self in {Why.TOLD, Why.RATED, Why.OFF}


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

    @property
    def known(self) -> bool:
        """Whether it is known; 0 W may well be."""
        return self.why.known

    def held_w(self, duration_s: float) -> float:
        """Return what can be held for a time, W; what there is at once for no time."""
        if duration_s <= 0 or math.isinf(self.energy_wh):
            return self.power_w
        return min(self.power_w, self.energy_wh * _HOUR_S / duration_s)


@dataclass(frozen=True, slots=True)
class Der:
    """What a home told of its DER; None for what it never told. Times are epoch s, of receipt.

    Attributes:
        rated_w: Set or rated power, W.
        charge_w: Greatest power taken, W.
        discharge_w: Greatest power given by storage, W.
        capacity_wh: Of the storage.
        soc: State of charge, 0 to 1.
        off: Whether it said that it is not connected.
        status_at: When `soc` and `off` came.
        give_w: What it said that it could give, W.
        take_w: What it said that it could take, W.
        give_s: For how long it could give that.
        take_s: For how long it could take that.
        said_at: When these four came.
    """

    rated_w: float | None = None
    charge_w: float | None = None
    discharge_w: float | None = None
    capacity_wh: float | None = None
    soc: float | None = None
    off: bool = False
    status_at: float | None = None
    give_w: float | None = None
    take_w: float | None = None
    give_s: float | None = None
    take_s: float | None = None
    said_at: float | None = None


@dataclass(frozen=True, slots=True)
class Shed:
    """What load a home said that it could shed.

    Attributes:
        power_w: So much; None where it gave a share only.
        share: So much of what it takes, 0 to 1.
        for_s: For how long; None for as long as asked.
        said_at: When that came, epoch s.
    """

    power_w: float | None
    share: float | None
    for_s: float | None
    said_at: float


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of a home.

    Attributes:
        heard_at: When it was last heard of, epoch s; None for never.
        net_w: Its last net power at the connection point, W, import positive.
        net_at: When that was, epoch s.
        der: Its DER.
        shed: Its loads.
    """

    heard_at: float | None = None
    net_w: float | None = None
    net_at: float | None = None
    der: Der | None = None
    shed: Shed | None = None


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
        rated_w: What percentages of its DER are of, W; 0 where it never told.
    """

    shed: Amount
    generate: Amount
    absorb: Amount
    reachable: bool
    net_w: float | None
    rated_w: float


def able(told: Told, now: float, rules: Rules) -> Able:
    """Return what a home could do.

    Args:
        told: What is known of it.
        now: Epoch s.
        rules: For how long that counts.
    """
    net_w = told.net_w if _fresh(told.net_at, now, rules.read_s) else None
    der = told.der or Der()
    return Able(
        shed=_shed(told.shed, net_w, now, rules),
        generate=_way(_Way(der.give_w, der.give_s, der.discharge_w, der.soc), der, now, rules),
        absorb=_way(
            _Way(der.take_w, der.take_s, der.charge_w, None if der.soc is None else 1.0 - der.soc),
            der,
            now,
            rules,
        ),
        reachable=_fresh(told.heard_at, now, rules.heard_s),
        net_w=net_w,
        rated_w=der.rated_w or 0.0,
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


def _way(way: _Way, der: Der, now: float, rules: Rules) -> Amount:
    known = _fresh(der.status_at, now, rules.told_s)
    if known and der.off:
        return Amount(0.0, 0.0, Why.OFF)
    if way.said_w is not None and _fresh(der.said_at, now, rules.told_s):
        power_w = max(way.said_w, 0.0)
        return Amount(power_w, _energy_wh(power_w, way.said_s), Why.TOLD)
    if known and way.left is not None and way.rated_w and der.capacity_wh is not None:
        energy_wh = max(way.left, 0.0) * der.capacity_wh
        return Amount(way.rated_w if energy_wh else 0.0, energy_wh, Why.RATED)
    once = way.said_w is not None or (way.left is not None and bool(way.rated_w))
    return Amount(0.0, 0.0, Why.OLD if once else Why.SILENT)


def _shed(shed: Shed | None, net_w: float | None, now: float, rules: Rules) -> Amount:
    if shed is None or (shed.power_w is None and shed.share is None):
        return Amount(0.0, 0.0, Why.SILENT)
    if not _fresh(shed.said_at, now, rules.told_s):
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
