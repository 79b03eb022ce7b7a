"""What energy costs now and later: the pricing function set (IEEE 2030.5, 10.6), without any I/O.

A tariff has components. Each prices energy that flows one way at one place, by intervals of time
which may overlap and then are settled as all events are (`hems.sep2.rules.events`): the later
creation wins. An interval may have blocks: the more was used in the billing period, the other the
price.

    records --> hems.sep2.book.rates --> Tariff --> price_at, steps --> Price

What is not known is None, never 0: a home that takes an unknown price for a gift runs up a bill.
Prices are in the tariff's currency per kWh, energy in Wh, power in W, times on the server's clock.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from hems.sep2.rules.events import Held, Hold, timeline


class Flow(Enum):
    """Which way energy flows, seen from the place that it is measured at."""

    IMPORT = "import"
    EXPORT = "export"


class Place(Enum):
    """Where the energy that a component prices is measured (roleFlags)."""

    PREMISES = "premises"
    DER = "der"
    PEV = "pev"


@dataclass(frozen=True, slots=True)
class Block:
    """A step of a tariff.

    Attributes:
        start_wh: Energy used in the billing period beyond which it applies.
        per_kwh: Its price; None if the server gives none.
    """

    start_wh: float
    per_kwh: float | None


@dataclass(frozen=True, slots=True)
class Priced:
    """A TimeTariffInterval with its blocks, the first one first; none if they are not known."""

    held: Held
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a tariff.

    Attributes:
        mrid: Its mRID.
        name: Its description, for the owner.
        flows: The ways of flow that it prices.
        place: Where.
        from_w: Power from which it applies.
        to_w: Power below which it applies.
        by_tier: Whether blocks count what was used in their own tier only.
        intervals: Its prices.
    """

    mrid: str
    name: str
    flows: frozenset[Flow]
    place: Place = Place.PREMISES
    from_w: float = 0.0
    to_w: float = math.inf
    by_tier: bool = False
    intervals: tuple[Priced, ...] = ()

    @property
    def mode(self) -> str:
        """The mode for which its intervals contend, as `hems.sep2.book.kinds` names it."""
        return f"TimeTariffInterval {self.mrid}"


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff for electricity.

    Attributes:
        mrid: Its mRID.
        name: Its description, for the owner.
        primacy: The lowest counts.
        currency: Number of ISO 4217, such as 36 (AUD); None if not given.
        binding: Whether prices to come are a promise, not a forecast (2023); None if not said.
        effective: From when it counts (2023); None if always.
        components: What makes up its prices.
    """

    mrid: str
    name: str
    primacy: int
    currency: int | None = None
    binding: bool | None = None
    effective: int | None = None
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """The energy whose price is asked.

    Attributes:
        flow: Which way it flows.
        place: Where it is measured.
        power_w: At which power, as a magnitude.
        used_wh: How much went this way before, in this billing period.
        used_by_tier_wh: The same for each time-of-use tier.
    """

    flow: Flow
    place: Place = Place.PREMISES
    power_w: float = 0.0
    used_wh: float = 0.0
    used_by_tier_wh: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """What energy costs at one time.

    Attributes:
        per_kwh: Price of the next kWh; where it flows out, what is paid for it.
        currency: See `Tariff.currency`.
        tier: Time-of-use tier, 0 if there are none; the highest where components differ.
        later: What further energy costs: pairs of the Wh until then and the price per kWh from
            there on, None if that is not known.
    """

    per_kwh: float
    currency: int | None
    tier: int
    later: tuple[tuple[float, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A span of time [start, end) with one price; None if it is not known."""

    start: float
    end: float
    price: Price | None


def chosen(tariffs: Iterable[Tariff], at: float) -> Tariff | None:
    """Return the tariff that counts: of those in effect the one of the lowest primacy.

    Of several such it is the one that came into effect last, then that of the greatest mRID.
    """
    current = (t for t in tariffs if t.effective is None or t.effective <= at)
    strengths = ((-t.primacy, t.effective or 0, t.mrid, t) for t in current)
    return max(strengths, key=lambda row: row[:3], default=(0, 0, "", None))[3]


def price_at(tariff: Tariff, use: Use, at: float, *, resumes: bool = False) -> Price | None:
    """Return the price in force at a time; see `steps`."""
    return _price(_lines(tariff, use, resumes=resumes), tariff.currency, use, at)


def steps(
    tariff: Tariff, use: Use, start: float, end: float, *, resumes: bool = False
) -> tuple[Step, ...]:
    """Return the prices from `start` until `end`, without gaps or overlaps.

    The price is the sum over the tariff's components for this use, since each is a part of the
    rate; as long as one of them is not known, neither is the price.

    Args:
        tariff: The tariff.
        use: The energy that is to be priced.
        start: First instant.
        end: Last instant, not included.
        resumes: Whether an interval that was superseded counts again after the stronger one
            (2023; see `hems.sep2.rules.events`).
    """
    lines = _lines(tariff, use, resumes=resumes)
    inner = {
        edge
        for _, line in lines
        for hold, _ in line
        for edge in (hold.interval.start, hold.interval.end)
        if start < edge < end
    }
    made: list[Step] = []
    for begins, ends in pairwise(sorted({start, end} | inner)) if start < end else ():
        price = _price(lines, tariff.currency, use, begins)
        if made and made[-1].price == price:
            begins = made.pop().start  # noqa: PLW2901 - the same step goes on
        made.append(Step(begins, ends, price))
    return tuple(made)


_Line = Sequence[tuple[Hold, tuple[Block, ...]]]
_Lines = Sequence[tuple[Component, _Line]]


def _lines(tariff: Tariff, use: Use, *, resumes: bool) -> _Lines:
    """Return the components that make up the price, each with what holds in it when."""
    return [
        (component, _line(component, resumes=resumes))
        for component in tariff.components
        if use.flow in component.flows
        and component.place is use.place
        and component.from_w <= use.power_w < component.to_w
    ]


def _line(component: Component, *, resumes: bool) -> _Line:
    blocks = {priced.held.event.mrid: priced.blocks for priced in component.intervals}
    held = (priced.held for priced in component.intervals)
    holds = timeline(component.mode, held, resumes=resumes)
    return [(hold, blocks[hold.held.event.mrid]) for hold in holds]


def _price(lines: _Lines, currency: int | None, use: Use, at: float) -> Price | None:
    tiers: list[int] = []
    parts: list[dict[float, float | None]] = []
    for component, line in lines:
        found = next(((h, blocks) for h, blocks in line if at in h.interval), None)
        if found is None:
            return None
        hold, blocks = found
        tier = hold.held.event.modes[component.mode]
        tiers.append(int(tier) if isinstance(tier, float | int) else 0)
        used = use.used_by_tier_wh.get(tiers[-1], 0.0) if component.by_tier else use.used_wh
        parts.append(_ahead(blocks, used))
    if not parts:
        return None
    edges = sorted({after for part in parts for after in part})
    now, *later = [(after, _sum(_from(part, after) for part in parts)) for after in edges]
    if now[1] is None:
        return None
    return Price(now[1], currency, max(tiers), tuple(later))


def _ahead(blocks: Sequence[Block], used_wh: float) -> dict[float, float | None]:
    """Return the price now and at each block to come, by the energy until then in Wh.

    What is used beyond a block's start is of that block; hence the next Wh is, at the start.
    """
    ahead: dict[float, float | None] = {0.0: None}
    for block in blocks:
        ahead[max(0.0, block.start_wh - used_wh)] = block.per_kwh
    return ahead


def _from(part: Mapping[float, float | None], after: float) -> float | None:
    return part[max(edge for edge in part if edge <= after)]


def _sum(prices: Iterable[float | None]) -> float | None:
    total = 0.0
    for price in prices:
        if price is None:
            return None
        total += price
    return total
