"""What the operator's door tells of availability, progress and settlement, as JSON."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from hems.headend.modes import Mode, Value
from hems.headend.settle.availability import Availability, Way
from hems.headend.settle.delivery import Result
from hems.headend.settle.totals import Sum, Total

Counted = Literal["ready", "being counted", "not measured"]
"""Whether all homes are added up; "not measured" where the event asks for nothing in watts."""


class WayOut(BaseModel):
    """What homes could do one way; `none` are known to be able to do nothing."""

    w: float
    homes: int
    none: int
    unknown: dict[str, int]

    @classmethod
    def of(cls, way: Way) -> Self:
        """Take a record over."""
        return cls(w=way.power_w, homes=way.homes, none=way.none, unknown=dict(way.unknown))


class AvailabilityOut(BaseModel):
    """What the homes of a group could do; powers in W, each positive in its own way."""

    model_config = ConfigDict(serialize_by_alias=True)

    group: str | None
    begin: float = Field(alias="from")
    to: float
    as_of: float
    homes: int
    reached: int
    not_reached: dict[str, int]
    shed: WayOut
    generate: WayOut
    absorb: WayOut

    @classmethod
    def of(cls, found: Availability, group: str | None) -> Self:
        """Take a record over."""
        return cls(
            **{"from": found.begin},
            group=group,
            to=found.end,
            as_of=found.at,
            homes=found.homes,
            reached=found.reached,
            not_reached=dict(found.not_reached),
            shed=WayOut.of(found.shed),
            generate=WayOut.of(found.generate),
            absorb=WayOut.of(found.absorb),
        )


class EventHeadOut(BaseModel):
    """What an event is; its homes are told beside."""

    id: str
    program: str
    group: str | None
    state: str
    start: int
    ends: int
    asks: dict[Mode, Value]
    cancelled_at: float | None


class CodeOut(BaseModel):
    """How many homes answered something last."""

    status: int
    meaning: str
    homes: int


class IntervalOut(BaseModel):
    """A part of an event, all homes together, W; None for what does not apply or nobody knows.

    `asked_w` is of all that took part; the others are of the `homes` of which all is known.
    """

    start: int
    duration_s: float
    asked_w: float | None
    baseline_w: float | None
    measured_w: float | None
    delivered_w: float | None
    over_w: float | None
    homes: int
    missing: int

    @classmethod
    def of(cls, each: Sum) -> Self:
        """Take a record over."""
        return cls(
            start=each.start,
            duration_s=each.seconds,
            asked_w=each.asked_w,
            baseline_w=each.baseline_w,
            measured_w=each.measured_w,
            delivered_w=each.delivered_w,
            over_w=each.over_w,
            homes=each.homes,
            missing=each.missing,
        )


class DeliveryOut(BaseModel):
    """What homes delivered so far; `baseline` is how it is found, None where only limits are."""

    as_of: float
    interval_s: int
    asked_w: float | None
    baseline: str | None
    intervals: list[IntervalOut]


class ProgressOut(EventHeadOut):
    """How an event goes. `states` counts each home once, by its last answer."""

    as_of: float
    homes: int
    told: int
    answered: int
    notified: int
    states: dict[str, int]
    codes: list[CodeOut]
    counted: Counted
    delivery: DeliveryOut | None
    silent: list[str]
    next: str | None


class HomeSettlementOut(BaseModel):
    """What a home's part in an event comes to; see `hems.headend.settle.delivery.Result`."""

    lfdi: str
    state: str
    codes: list[int]
    asked_s: float
    took_part_s: float
    known_s: float
    bridged_s: float
    asked_w: float | None
    asked_wh: float | None
    baseline_w: float | None
    measured_w: float | None
    delivered_w: float | None
    delivered_wh: float | None
    share: float | None
    over_wh: float | None
    over_s: float | None
    most_over_w: float | None
    pay: float | None
    flags: list[str]

    @classmethod
    def of(cls, each: Result) -> Self:
        """Take a record over."""
        return cls(
            lfdi=each.lfdi,
            state=each.stand,
            codes=list(each.codes),
            asked_s=each.asked_s,
            took_part_s=each.part_s,
            known_s=each.known_s,
            bridged_s=each.bridged_s,
            asked_w=each.asked_w,
            asked_wh=each.asked_wh,
            baseline_w=each.baseline_w,
            measured_w=each.measured_w,
            delivered_w=each.delivered_w,
            delivered_wh=each.delivered_wh,
            share=each.share,
            over_wh=each.over_wh,
            over_s=each.over_s,
            most_over_w=each.most_over_w,
            pay=each.pay,
            flags=list(each.flags),
        )


class TotalOut(BaseModel):
    """All homes of an event together; see `hems.headend.settle.totals.Total`."""

    as_of: float
    homes: int
    took_part: int
    measured: int
    asked_w: float | None
    asked_wh: float | None
    delivered_wh: float | None
    delivered_w: float | None
    share: float | None
    over_wh: float | None
    over_s: float | None
    pay: float | None
    states: dict[str, int]
    flags: dict[str, int]

    @classmethod
    def of(cls, total: Total, at: float) -> Self:
        """Take a record over."""
        return cls(
            as_of=at,
            homes=total.homes,
            took_part=total.took_part,
            measured=total.measured,
            asked_w=total.asked_w,
            asked_wh=total.asked_wh,
            delivered_wh=total.delivered_wh,
            delivered_w=total.delivered_w,
            share=total.share,
            over_wh=total.over_wh,
            over_s=total.over_s,
            pay=total.pay,
            states={stand.value: homes for stand, homes in total.counts.items()},
            flags=dict(total.flags),
        )


class SettlementOut(EventHeadOut):
    """An event settled: all homes together, and a page of them one by one."""

    final: bool
    why_not_final: str | None
    baseline: str | None
    interval_s: int
    currency: str | None
    rate_kwh: float | None
    counted: Counted
    total: TotalOut | None
    homes: list[HomeSettlementOut]
    next: str | None
