"""By what events are settled, and for how long what homes told counts."""

from datetime import date
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hems.headend.ability.rule import Rules
from hems.headend.settle.baseline import Method, Way
from hems.headend.settle.like_days import Calendar
from hems.headend.settle.power import At

Minutes = Annotated[int, Field(ge=0, le=1440)]
_HOUR_S: Final = 3600


class BaselineSettings(BaseModel):
    """How it is found what a home would have taken without an event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Way = Way.DAYS
    """"days": earlier like days; "before": right before the event; "between": the line from before
    to after it; "flat": a power that is said here."""
    at: At | None = None
    """Measured at the "site" or at the "der"; the site unless a set-point of a DER is asked."""
    days: int = Field(default=10, ge=1, le=30)
    """So many of the latest like days are looked at."""
    least_days: int = Field(default=5, ge=1, le=30)
    """With fewer there is no baseline."""
    highest: int = Field(default=5, ge=1, le=30)
    """So many of them are averaged, those with the greatest use."""
    adjust_minutes: Minutes = 120
    """Length of the time before the event by which the mean is moved; 0 for never."""
    adjust_gap_minutes: Minutes = 60
    """How long before the event that ends."""
    most_adjusted: float = Field(default=0.2, ge=0, le=10)
    """Greatest move, as a share of the mean."""
    before_minutes: int = Field(default=15, ge=1, le=1440)
    """Length of the time before the event ("before", "between")."""
    after_minutes: int = Field(default=15, ge=1, le=1440)
    """Length of the time after it ("between")."""
    flat_w: float = Field(default=0.0, ge=-1e9, le=1e9)
    """The flat one, W, consumption positive."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if max(self.least_days, self.highest) > self.days:
            raise ValueError("least_days and highest cannot be more than days")
        return self

    def record(self) -> Method:
        """Return it as the rules take it."""
        return Method(
            self.method,
            self.days,
            self.least_days,
            self.highest,
            self.adjust_minutes * 60,
            self.adjust_gap_minutes * 60,
            self.most_adjusted,
            self.before_minutes * 60,
            self.after_minutes * 60,
            self.flat_w,
        )


class SettlementSettings(BaseModel):
    """How events are settled, all programmes alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_s: int = Field(default=300, ge=60, le=_HOUR_S)
    """Length of the intervals; a whole part of an hour."""
    bridge: int = Field(default=1, ge=0, le=12)
    """So many missing intervals in a row are bridged by the line between their neighbours."""
    time_zone: str = "UTC"
    """Whose clock people live by, for like days (IANA name)."""
    holidays: tuple[date, ...] = ()
    """Days that are like Sundays."""
    wait_minutes: Minutes = 60
    """So long after an event readings and answers may still come; then its settlement is final."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """In which programmes pay (ISO 4217)."""
    heard_s: float = Field(default=900.0, gt=0)
    """A home that was not heard of for longer is out of reach."""
    told_s: float = Field(default=3600.0, gt=0)
    """What a home told of its DER and its loads counts for so long."""
    read_s: float = Field(default=900.0, gt=0)
    """A meter reading tells for so long what a home takes now."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if _HOUR_S % self.interval_s:
            raise ValueError(f"interval_s {self.interval_s} is no whole part of an hour")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"time_zone {self.time_zone!r} is not known here") from error
        return self

    def calendar(self) -> Calendar:
        """Return what days are."""
        return Calendar(ZoneInfo(self.time_zone), frozenset(self.holidays))

    def rules(self) -> Rules:
        """Return for how long what homes told counts."""
        return Rules(self.heard_s, self.told_s, self.read_s)
