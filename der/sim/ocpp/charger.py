"""The charger's own state and rules: profiles, transaction, settings. No I/O.

It outlives connections: a limit holds, lapses and a car charges with or without the hub. It is
the same for both versions of OCPP, which only call things by other names.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from der.sim.faults import Fault, FaultKind
from der.sim.journal import Journal
from der.sim.physics.car import CarRating
from der.sim.physics.house import Snapshot
from der.sim.physics.profiles import (
    Limit,
    Period,
    Phases,
    Profile,
    Purpose,
    Transaction,
    composite,
    in_force,
    installed,
)

CONNECTOR = 1
HIGHEST_STACK_LEVEL = 10
MOST_PROFILES = 20
WRONG_SCALE = 1000.0
WRONG_CLOCK_S = 3600.0


class Status(StrEnum):
    """What the connector does, in the words of OCPP 1.6's ChargePointStatus."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    UNAVAILABLE = "Unavailable"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which profiles ClearChargingProfile means; None means any.

    Attributes:
        id: Exactly this profile; the rest is then ignored.
        connector: Those set for it.
        purpose: Those of it.
        stack_level: Those at it.
    """

    id: int | None = None
    connector: int | None = None
    purpose: str | None = None
    stack_level: int | None = None

    def matches(self, profile: Profile) -> bool:
        """Whether the profile is meant."""
        if self.id is not None:
            return profile.id == self.id
        wanted = (self.connector, self.purpose, self.stack_level)
        there = (profile.connector, profile.purpose, profile.stack_level)
        return all(w is None or w == t for w, t in zip(wanted, there, strict=True))


class Charger:
    """A charger with one connector, on one phase or on three.

    Attributes:
        rating: What it and its car are.
        fault: What goes wrong with it.
        transaction: The charging session that the central system knows of.
        operative: Whether it may be used at all (ChangeAvailability).
        stopped: Whether the session was ended while the car stayed plugged in.
        heartbeat_s: How often it says that it lives; 0 for never.
        sample_s: How often it sends meter values; 0 for never.
        offline_unknown: Whether unknown cards may charge while the central system is away.
    """

    def __init__(
        self, rating: CarRating, home: Callable[[], Snapshot], journal: Journal, fault: Fault
    ) -> None:
        self.rating = rating
        self.fault = fault
        self.transaction: Transaction | None = None
        self.operative = True
        self.stopped = False
        self.heartbeat_s = 300
        self.sample_s = 10
        self.offline_unknown = False
        self._home = home
        self._journal = journal
        self._phases = Phases(rating.phases, rating.switches)
        self._profiles: tuple[Profile, ...] = ()
        self._stuck: Snapshot | None = None

    @property
    def home(self) -> Snapshot:
        """The home now."""
        return self._home()

    @property
    def shown(self) -> Snapshot:
        """The home as the charger's meter shows it, faults included."""
        home, kind = self._home(), self.fault.kind
        if kind is not FaultKind.STUCK:
            self._stuck = None
        elif self._stuck is None:
            self._stuck = home
        home = self._stuck or home
        if kind is FaultKind.SCALE:
            return replace(home, ev=replace(home.ev, power_w=home.ev.power_w * WRONG_SCALE))
        return home

    def clock(self) -> float:
        """Return the time by its own clock, UTC epoch seconds."""
        return time.time() + (WRONG_CLOCK_S if self.fault.kind is FaultKind.CLOCK else 0.0)

    def offer(self) -> Limit:
        """Return what it offers the car now; infinite without a limit."""
        if self.stopped or not self.operative:
            return Limit(0.0, self._phases.own)
        limit = in_force(self._profiles, self.clock(), self.transaction, self._phases)
        return Limit(math.inf, self._phases.own) if limit is None else limit

    def status(self) -> Status:
        """Return what the connector does now, as far as its own electronics see it."""
        home = self.shown
        if not self.operative:
            return Status.UNAVAILABLE
        if not home.ev_plugged:
            return Status.AVAILABLE
        if self.transaction is None:
            return Status.FINISHING if self.stopped else Status.PREPARING
        if home.ev.power_w > 0:
            return Status.CHARGING
        offer = self.offer()
        if offer.power_w < self.rating.least_w(offer.phases):
            return Status.SUSPENDED_EVSE
        return Status.SUSPENDED_EV

    def begun(self, transaction: str, *, accepted: bool) -> None:
        """Note that a transaction is open; a refused one does not charge."""
        self.transaction = Transaction(transaction, self.clock())
        self.stopped = not accepted

    def ended(self) -> None:
        """Note that the transaction is over; its own profiles go with it."""
        self.transaction = None
        self._profiles = tuple(p for p in self._profiles if p.purpose is not Purpose.TX)

    def restarted(self) -> None:
        """Start anew, without anything that it was told."""
        self.ended()
        self._profiles = ()
        self.operative, self.stopped = True, False
        self.heartbeat_s, self.sample_s = 300, 10
        self.offline_unknown = False

    def install(self, profile: Profile) -> bool:
        """Take a profile over; returns False, and changes nothing, if it has no place here."""
        running = None if self.transaction is None else self.transaction.id
        if not 0 <= profile.stack_level <= HIGHEST_STACK_LEVEL:
            return False
        if profile.connector not in {0, CONNECTOR}:
            return False
        if profile.purpose is Purpose.CHARGE_POINT_MAX and profile.connector != 0:
            return False
        if profile.purpose is Purpose.TX and (
            running is None
            or profile.connector != CONNECTOR
            or profile.transaction not in {None, running}
        ):
            return False
        profiles = installed(self._profiles, profile)
        if len(profiles) > MOST_PROFILES:
            return False
        self._profiles = profiles
        limits = ",".join(f"{period.limit:g}" for period in profile.periods)
        phases = ",".join(str(period.phases or self._phases.own) for period in profile.periods)
        told = f"id={profile.id} purpose={profile.purpose} {profile.unit}={limits} phases={phases}"
        self._journal.wrote("ev", "SetChargingProfile", f"{told} duration={profile.duration_s}")
        return True

    def clear(self, which: Filter) -> bool:
        """Remove profiles; returns whether there were any."""
        kept = tuple(profile for profile in self._profiles if not which.matches(profile))
        removed = len(self._profiles) - len(kept)
        self._profiles = kept
        if removed:
            self._journal.wrote("ev", "ClearChargingProfile", f"removed={removed}")
        return removed > 0

    def schedule(self, duration_s: int) -> tuple[Period, ...]:
        """Return the limits of the coming time, W."""
        return composite(
            self._profiles,
            self.clock(),
            duration_s,
            self.transaction,
            most_w=self.rating.max_w,
            phases=self._phases,
        )

    def configured(self, what: str, value: str) -> None:
        """Note that a setting was changed."""
        self._journal.wrote("ev", "ChangeConfiguration", f"{what}={value}")

    def permit(self, *, operative: bool) -> None:
        """Take the charger into or out of service."""
        self.operative = operative
        self._journal.wrote("ev", "ChangeAvailability", f"operative={int(operative)}")
