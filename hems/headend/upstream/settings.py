"""The aggregator's part of the head-end's configuration."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from certs.identity import pin_valid
from hems.headend.sharing.following import FollowRules
from hems.headend.sharing.model import Rules
from hems.headend.upstream.sharer import SharingRules
from hems.sep2.rules.dialect import Dialect

_Lfdi = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{40}$")]
_Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Pinned(_Section):
    pin: str = Field(pattern=r"^\d{6}$")
    """Registration PIN at the utility: five digits and the check digit."""

    @field_validator("pin")
    @classmethod
    def _whole(cls, pin: str) -> str:
        if not pin_valid(pin):
            raise ValueError("the last digit of the PIN does not fit the others")
        return pin


class DeviceSettings(_Pinned):
    """A home that the utility lists as an EndDevice of the aggregator's."""

    lfdi: _Lfdi
    """Its LFDI, 40 hexadecimal digits."""


class UpstreamSettings(_Pinned):
    """The utility whose events are shared."""

    name: str = Field(default="utility", min_length=1, max_length=64)
    """Under which its events are kept; must not change."""
    url: str = Field(pattern=r"^https://")
    """Of its DeviceCapability."""
    certificate: Path
    """PEM file: the aggregator's certificate and its intermediate CAs."""
    key: Path
    """PEM file: its private key."""
    roots: Path
    """PEM file: root certificates trusted for the utility."""
    crls: Path
    """PEM file: revocation lists of every CA in the utility's chain."""
    edition: Dialect = Dialect.CSIP
    """What is spoken there."""
    devices: tuple[DeviceSettings, ...] = ()
    """Homes that the utility lists; it is told what each of them answers."""
    register_devices: bool = False
    """Whether devices that it does not list are made there (in-band registration)."""
    notify_host: str = "127.0.0.1"
    """Address where its notifications come in."""
    notify_port: int = Field(default=0, ge=0, le=65535)
    """Its port; 0 takes any free one."""
    poll_least_s: float = Field(default=1.0, gt=0, le=3600)
    """No more frequent polls, whatever it says."""
    comms_loss_s: _Seconds = 3600.0
    """Time without contact after which no further event begins."""
    primacy: int = Field(default=2, ge=0, le=255)
    """Of the programmes in which homes get their shares; lower wins."""
    reach_s: _Seconds = 900.0
    """A home that was not heard of for so long cannot be told anything."""
    told_s: _Seconds = 3600.0
    """What a home said of its DER counts for so long."""
    connection_w: int = Field(default=14_000, ge=1, le=10**9)
    """What a home may take from the grid, or give to it, where it has told no rating."""
    least_import_w: int = Field(default=0, ge=0, le=10**9)
    """What its contract lets every home take at any time: no import or load limit is lower."""
    least_export_w: int = Field(default=0, ge=0, le=10**9)
    """What its contract lets every home give at any time: no export limit is lower, nor any of
    generation."""
    unsaid_shed_w: int = Field(default=0, ge=0, le=10**9)
    """What a home can shed that never said what it can."""
    lead_s: float = Field(default=600.0, ge=0, le=86400)
    """How long before its beginning an event is shared."""
    look_s: _Seconds = 5.0
    """How often homes are looked at."""
    post_s: int = Field(default=60, ge=1, le=86400)
    """How often the reading of all homes together is made."""
    stale_s: _Seconds = 900.0
    """A home's reading older than this does not count."""
    step_w: int = Field(default=100, ge=0, le=10**9)
    """No home is asked to move less."""
    grain_w: int = Field(default=50, ge=1, le=10**6)
    """Shares are multiples of this where that can be."""
    slack_w: int = Field(default=100, ge=0, le=10**9)
    """Nothing is shared anew for less."""
    window_days: float = Field(default=30.0, gt=0, le=366)
    """How far back it counts what homes were asked for."""
    bother_h: float = Field(default=0.1, ge=0, le=24)
    """Being asked at all counts like so many hours at full size."""
    answer_s: _Seconds = 180.0
    """A home must have answered after this."""
    silent_s: _Seconds = 900.0
    """A home counts as lost after this without a sign."""
    ramp_s: float = Field(default=60.0, ge=0, le=86400)
    """A home has this long to come up to what it is asked."""
    short_s: _Seconds = 120.0
    """A home counts as doing too little after it has for this long."""
    again_s: _Seconds = 60.0
    """No event is shared anew more often."""

    end_s: float = Field(default=120.0, ge=0, le=86400)
    """Nothing is shared anew so shortly before an event's end."""
    close_s: float = Field(default=120.0, ge=0, le=86400)
    """Homes have so long after an event's end to say how it ended."""
    turn_s: float = Field(default=30.0, ge=1, le=3600)
    """Another worker is the client after this, when the one that was does not answer any more;
    workers' clocks must agree to a third of it."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        lfdis = [device.lfdi.upper() for device in self.devices]
        if len(set(lfdis)) != len(lfdis):
            raise ValueError("devices: two of them have the same lfdi")
        return self

    def sharing(self) -> SharingRules:
        """Return how events are shared and followed."""
        return SharingRules(
            Rules(self.step_w, self.grain_w, self.window_days, self.bother_h, self.slack_w),
            FollowRules(
                answer_s=self.answer_s,
                silent_s=self.silent_s,
                ramp_s=self.ramp_s,
                short_s=self.short_s,
                again_s=self.again_s,
                end_s=self.end_s,
                close_s=self.close_s,
                missing_w=float(self.slack_w),
            ),
            self.stale_s,
        )
