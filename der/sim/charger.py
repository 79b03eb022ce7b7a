"""The charger's own state and rules: profiles, transaction, configuration. No I/O.

It outlives connections: a limit holds, lapses and a car charges with or without the hub.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from der.sim.car import CarRating
from der.sim.house import Snapshot
from der.sim.journal import Journal
from der.sim.profiles import (
    Period,
    Profile,
    Purpose,
    Transaction,
    composite,
    installed,
    limit_w,
)

CONNECTOR = 1
HIGHEST_STACK_LEVEL = 10
MOST_PROFILES = 20

READ_ONLY_KEYS = {
    "ChargeProfileMaxStackLevel": str(HIGHEST_STACK_LEVEL),
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": "24",
    "MaxChargingProfilesInstalled": str(MOST_PROFILES),
    "MeterValuesSampledData": (
        "Power.Active.Import,Energy.Active.Import.Register,Voltage,Current.Import,SoC"
    ),
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
}


class Status(StrEnum):
    """ChargePointStatus, as far as this charger knows it."""

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
    """A single-phase charger with one connector.

    Attributes:
        transaction: The charging session that the central system knows of.
        operative: Whether it may be used at all (ChangeAvailability).
        stopped: Whether the session was ended while the car stayed plugged in.
        settings: Configuration keys that may be changed.
    """

    def __init__(self, rating: CarRating, home: Callable[[], Snapshot], journal: Journal) -> None:
        self.transaction: Transaction | None = None
        self.operative = True
        self.stopped = False
        self.settings = {"HeartbeatInterval": 300, "MeterValueSampleInterval": 10}
        self._rating = rating
        self._home = home
        self._journal = journal
        self._profiles: tuple[Profile, ...] = ()

    @property
    def home(self) -> Snapshot:
        """The home now."""
        return self._home()

    def limit_w(self) -> float:
        """Return the greatest power that it offers the car now, W; infinite without a limit."""
        if self.stopped or not self.operative:
            return 0.0
        limit = limit_w(self._profiles, time.time(), self.transaction)
        return math.inf if limit is None else limit

    def status(self) -> Status:
        """Return what StatusNotification says now."""
        home = self._home()
        if not self.operative:
            return Status.UNAVAILABLE
        if not home.ev_plugged:
            return Status.AVAILABLE
        if self.transaction is None:
            return Status.FINISHING if self.stopped else Status.PREPARING
        if home.ev.power_w > 0:
            return Status.CHARGING
        if self.limit_w() < self._rating.least_w:
            return Status.SUSPENDED_EVSE
        return Status.SUSPENDED_EV

    def begun(self, transaction: int, accepted: bool) -> None:
        """Note the transaction that the central system opened; a refused one does not charge."""
        self.transaction = Transaction(transaction, time.time())
        self.stopped = not accepted

    def ended(self) -> None:
        """Note that the transaction is over; its own profiles go with it."""
        self.transaction = None
        self._profiles = tuple(p for p in self._profiles if p.purpose is not Purpose.TX)

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
        told = f"id={profile.id} purpose={profile.purpose} {profile.unit}={limits}"
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
            self._profiles, time.time(), duration_s, self.transaction, self._rating.max_w
        )

    def configure(self, key: str, value: str) -> str:
        """Change a configuration key; returns the ConfigurationStatus."""
        if key in READ_ONLY_KEYS:
            return "Rejected"
        if key not in self.settings:
            return "NotSupported"
        if not value.isdecimal():
            return "Rejected"
        self.settings[key] = int(value)
        self._journal.wrote("ev", "ChangeConfiguration", f"{key}={value}")
        return "Accepted"

    def permit(self, operative: bool) -> None:
        """Take the charger into or out of service."""
        self.operative = operative
        self._journal.wrote("ev", "ChangeAvailability", f"operative={int(operative)}")
