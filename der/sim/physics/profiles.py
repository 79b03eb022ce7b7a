"""Which charging limit is in force, without any I/O: smart charging of OCPP 1.6 (section 3.13).

That of 2.0.1 (part 2, K) goes by the same rules; its ChargingStationMaxProfile is 1.6's
ChargePointMaxProfile, and its ids of transactions are text.

A profile of a higher stack level goes before one of a lower; TxProfile goes before
TxDefaultProfile; ChargePointMaxProfile bounds them all.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from der.sim.physics.car import NOMINAL_V


class Purpose(StrEnum):
    """ChargingProfilePurposeType."""

    CHARGE_POINT_MAX = "ChargePointMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"


class Kind(StrEnum):
    """ChargingProfileKindType."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class Unit(StrEnum):
    """ChargingRateUnitType."""

    WATTS = "W"
    AMPERES = "A"


RECURRENCE_S = {"Daily": 86_400.0, "Weekly": 604_800.0}
"""RecurrencyKindType in seconds."""


@dataclass(frozen=True, slots=True)
class Period:
    """ChargingSchedulePeriod.

    Attributes:
        start_s: Seconds from the schedule's start.
        limit: In the schedule's unit.
        phases: Phases to use; None for as many as the charger has.
    """

    start_s: float
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Phases:
    """On how many phases a charger charges.

    Attributes:
        own: As many as it is connected to.
        switches: Whether it obeys when it is told to use fewer.
    """

    own: int = 1
    switches: bool = False

    def used(self, told: int | None) -> int:
        """Return how many it uses when it is told to use so many."""
        return self.own if told is None or not self.switches else min(told, self.own)


ONE_PHASE = Phases()


@dataclass(frozen=True, slots=True)
class Limit:
    """What a charger may offer its car.

    Attributes:
        power_w: W.
        phases: On so many phases.
    """

    power_w: float
    phases: int


@dataclass(frozen=True, slots=True)
class Profile:
    """ChargingProfile with its schedule; times are UTC epoch seconds.

    Attributes:
        id: ChargingProfileId.
        connector: The connector it was set for, 0 for the whole charge point.
        stack_level: Higher goes before lower.
        purpose: What it applies to.
        kind: What the schedule's start means.
        unit: Unit of its limits.
        periods: At least one, the first from 0 s, in order.
        start: StartSchedule; None begins with the transaction.
        duration_s: How long the schedule lasts; None without end.
        recurrence_s: After how long a recurring schedule begins anew.
        valid_from: Not in force before.
        valid_to: Not in force from then on.
        transaction: The only transaction it applies to; None for any.
        accepted_at: When it was set; a Relative schedule without a transaction starts then.
    """

    id: int
    connector: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    unit: Unit
    periods: tuple[Period, ...]
    start: float | None = None
    duration_s: float | None = None
    recurrence_s: float | None = None
    valid_from: float = -math.inf
    valid_to: float = math.inf
    transaction: str | None = None
    accepted_at: float = 0.0

    def limit(self, now: float, started: float | None, phases: Phases = ONE_PHASE) -> Limit | None:
        """Return the limit at `now`, or None if the profile is not in force.

        Args:
            now: UTC epoch seconds, by the charger's clock.
            started: When the running transaction began; None without one.
            phases: The charger's.
        """
        if not self.valid_from <= now < self.valid_to:
            return None
        into_s = now - self._begin(started)
        if self.kind is Kind.RECURRING and self.recurrence_s:
            into_s %= self.recurrence_s
        if into_s < 0 or (self.duration_s is not None and into_s >= self.duration_s):
            return None
        limits = [period for period in self.periods if period.start_s <= into_s]
        if not limits:
            return None
        period = limits[-1]
        used = phases.used(period.phases)
        if self.unit is Unit.WATTS:
            return Limit(period.limit, used)
        return Limit(period.limit * NOMINAL_V * used, used)

    def edges(self, now: float, until: float, started: float | None) -> set[float]:
        """Return the moments after `now` and before `until` at which its limit may change."""
        lasts_s = () if self.duration_s is None else (self.duration_s,)
        offsets = (*(period.start_s for period in self.periods), *lasts_s)
        begins = [self._begin(started)]
        if self.kind is Kind.RECURRING and self.recurrence_s:
            begun = (now - begins[0]) // self.recurrence_s
            turns = range(math.ceil((until - now) / self.recurrence_s) + 1)
            begins = [begins[0] + (begun + turn) * self.recurrence_s for turn in turns]
        moments = {begin + offset for begin in begins for offset in offsets}
        return {
            moment for moment in moments | {self.valid_from, self.valid_to} if now < moment < until
        }

    def _begin(self, started: float | None) -> float:
        if self.kind is not Kind.RELATIVE and self.start is not None:
            return self.start
        return self.accepted_at if started is None else started


@dataclass(frozen=True, slots=True)
class Transaction:
    """A charging session.

    Attributes:
        id: As the central system gave it.
        started: UTC epoch seconds.
    """

    id: str
    started: float


def in_force(
    profiles: Iterable[Profile],
    now: float,
    transaction: Transaction | None,
    phases: Phases = ONE_PHASE,
) -> Limit | None:
    """Return the limit in force, or None if nothing limits.

    Args:
        profiles: All that are installed.
        now: UTC epoch seconds, by the charger's clock.
        transaction: The one that runs, if any.
        phases: The charger's.
    """
    started = None if transaction is None else transaction.started
    ranked = sorted(profiles, key=lambda profile: profile.stack_level, reverse=True)

    def first(purpose: Purpose) -> Limit | None:
        for profile in ranked:
            if profile.purpose is not purpose or not _applies(profile, transaction):
                continue
            if (limit := profile.limit(now, started, phases)) is not None:
                return limit
        return None

    session = first(Purpose.TX) if transaction is not None else None
    if session is None:
        session = first(Purpose.TX_DEFAULT)
    limits = [limit for limit in (session, first(Purpose.CHARGE_POINT_MAX)) if limit is not None]
    return min(limits, key=lambda limit: limit.power_w, default=None)


def installed(profiles: Iterable[Profile], new: Profile) -> tuple[Profile, ...]:
    """Add a profile; it replaces one of the same id, or of the same purpose and stack level."""
    place = (new.purpose, new.stack_level, new.connector)
    kept = (
        profile
        for profile in profiles
        if profile.id != new.id
        and (profile.purpose, profile.stack_level, profile.connector) != place
    )
    return (*kept, new)


def composite(
    profiles: Iterable[Profile],
    now: float,
    duration_s: int,
    transaction: Transaction | None,
    *,
    most_w: float,
    phases: Phases = ONE_PHASE,
) -> tuple[Period, ...]:
    """Return the limits of the coming `duration_s` as periods in W (GetCompositeSchedule).

    Args:
        profiles: All that are installed.
        now: UTC epoch seconds, the start of the answer.
        duration_s: How far it reaches.
        transaction: The one that runs, if any.
        most_w: What holds where no profile does.
        phases: The charger's.
    """
    held = tuple(profiles)
    started = None if transaction is None else transaction.started
    until = now + duration_s
    edges = {now}.union(*(profile.edges(now, until, started) for profile in held))
    periods: list[Period] = []
    for moment in sorted(edges):
        limit = in_force(held, moment, transaction, phases)
        power_w = most_w if limit is None else min(limit.power_w, most_w)
        used = phases.own if limit is None else limit.phases
        if not periods or (periods[-1].limit, periods[-1].phases) != (power_w, used):
            periods.append(Period(moment - now, power_w, used))
    return tuple(periods)


def _applies(profile: Profile, transaction: Transaction | None) -> bool:
    return profile.transaction is None or (
        transaction is not None and profile.transaction == transaction.id
    )
