"""Settings of the log and of monitoring: the tables `[log]` and `[monitor]` of the head-end."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hems.headend.monitor.signals import QUARANTINABLE, Rule
from hems.headend.monitor.thresholds import Thresholds

Share = Annotated[float, Field(gt=0, le=1)]
Some = Annotated[int, Field(ge=1, le=1_000_000)]


class LogFormat(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    """Each request with its duration, too."""
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(BaseModel):
    """The log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: LogFormat = LogFormat.TEXT
    """Lines for people, or one JSON object a line for programs."""
    level: LogLevel = LogLevel.INFO
    """The least level that is written."""


class MonitorSettings(BaseModel):
    """From when on something is a signal, and what is done about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    silent_minutes: Annotated[float, Field(ge=2, le=10_080)] = 15.0
    """So long a home may be silent; one that has been so longer before may be so again."""
    outage_homes: Annotated[int, Field(ge=2, le=1_000_000)] = 5
    """So many homes of a group that are silent at once are an outage,"""
    outage_share: Share = 0.6
    """if they are this share of it."""
    handshakes: Some = 20
    """Failed TLS handshakes of one source in ten minutes."""
    requests_per_minute: Some = 600
    """Requests of one home in a minute, if that is 20 times what homes ask on the average too."""
    refusals: Some = 100
    """Refused requests of one home in ten minutes."""
    scanned: Some = 20
    """Different paths at which it was refused in ten minutes."""
    clock_off_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    """How far a home's clock may be ahead, s."""
    refused_share: Share = 0.3
    """Share of homes that opt out of an event, or cannot carry it out, of those that answered."""
    undelivered_share: Share = 0.2
    """Share of notifications in ten minutes that homes did not take."""
    over_rating: Annotated[float, Field(ge=1, le=10)] = 1.25
    """How far power may lie above its rating, as a factor of it."""
    frozen_minutes: Annotated[float, Field(ge=5, le=10_080)] = 120.0
    """How long power that is not zero may be just the same."""
    quarantine: tuple[Rule, ...] = ()
    """Rules by which a hub is put in quarantine at once; only what one hub does by itself."""
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long signals that have ended are kept."""

    @field_validator("quarantine")
    @classmethod
    def _of_one_hub(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for rule in rules:
            if rule not in QUARANTINABLE:
                known = ", ".join(sorted(QUARANTINABLE))
                raise ValueError(f"{rule} quarantines nobody; there are {known}")
        return rules

    def thresholds(self) -> Thresholds:
        """Return what the rules go by."""
        return Thresholds(
            silent_s=self.silent_minutes * 60.0,
            outage_homes=self.outage_homes,
            outage_share=self.outage_share,
            handshakes=self.handshakes,
            requests=self.requests_per_minute,
            refusals=self.refusals,
            scanned=self.scanned,
            clock_off_s=self.clock_off_s,
            refused_share=self.refused_share,
            undelivered_share=self.undelivered_share,
            over_rating=self.over_rating,
            frozen_s=self.frozen_minutes * 60.0,
        )
