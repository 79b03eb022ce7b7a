"""The one surface of the running home that the page and the command line may see.

Plain frozen records out, a handful of wishes in; `hems.home` implements it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol


class SurfaceError(Exception):
    """A wish that cannot be granted; `str()` says why, for the owner."""


class UnknownEventError(SurfaceError):
    """No event of this id is known."""


class BindingEventError(SurfaceError):
    """The event's programme does not allow the owner to opt out."""


class ImpossibleWishError(SurfaceError):
    """A wish about a device that makes no sense: not controllable, out of range, no time."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device as shown: see `der.model` for units and signs (consumption positive).

    Attributes:
        quality: "good", "stale", "asleep" or "lost".
        age_s: Age of the reading; None if there is none.
        ages: Age in s of each value that is older than the reading, by attribute name.
        suspect: Names of values that the device gave but that cannot be; they are unknown here.
        safe: What becomes of it when the hub falls silent, one sentence; empty if that is not
            known, or nothing can.
        risk: What may still go wrong then, one sentence; empty if nothing is known.
        control: What a set-point means to it (`der.model.Control`); empty if that is not known.
        min_w: Least power.
        max_w: Greatest power.
        owned: Whether it is the owner's, whose wishes move it.
        wish_w: The power that the owner directly wishes it to have; None without a wish.
        wish_until: When that wish ends, UTC epoch seconds.
        functions: What it does for the grid beside its active power, one sentence each.
        wanted: Whether `reason` tells when people want it to be ready, and so when they leave.
    """

    id: str
    name: str
    kind: str
    power_w: float | None
    soc: float | None
    temp_c: float | None
    connected: bool | None
    wants_power: bool | None
    quality: str
    age_s: float | None
    setpoint_w: float | None
    reason: str
    error: str | None
    ages: Mapping[str, float] = field(default_factory=dict)
    suspect: Sequence[str] = ()
    safe: str = ""
    risk: str = ""
    control: str = ""
    min_w: float = 0.0
    max_w: float = 0.0
    owned: bool = True
    wish_w: float | None = None
    wish_until: float | None = None
    functions: Sequence[str] = ()
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class EventView:
    """A grid event as shown.

    Attributes:
        id: mRID.
        program: Who asks: the programme's name.
        title: What is asked, one line ("Import at most 1.5 kW").
        effect: What it does to this home, one sentence.
        state: "coming", "running", "completed", "cancelled", "superseded", "rejected".
        starts_at: Effective start, UTC epoch seconds.
        ends_at: Effective end.
        opted_out: Whether the owner left it.
        may_opt_out: Whether the programme's policy allows it now.
        note: What of it this home does not carry out, one sentence; empty if it does all.
        consequence: What leaving it means now, or why it cannot be left, one sentence; empty once
            it is over.
    """

    id: str
    program: str
    title: str
    effect: str
    state: str
    starts_at: float
    ends_at: float
    opted_out: bool
    may_opt_out: bool
    note: str = ""
    consequence: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the utility to the owner.

    Attributes:
        id: mRID.
        program: Who writes.
        text: What.
        urgent: Whether the utility calls it high or critical.
        starts_at: From when it is to be shown, UTC epoch seconds.
        ends_at: Until when.
        acknowledged: Whether the owner has read it.
        may_acknowledge: Whether the utility wants to know that.
    """

    id: str
    program: str
    text: str
    urgent: bool
    starts_at: float
    ends_at: float
    acknowledged: bool
    may_acknowledge: bool


@dataclass(frozen=True, slots=True)
class PriceView:
    """What energy from the grid costs now, by the utility's tariff.

    Attributes:
        tariff: Its name.
        currency: ISO 4217 letters; empty if the utility does not say.
        per_kwh: Price of a kilowatt-hour.
        until: When it changes, UTC epoch seconds; infinite if that is not known.
        next_per_kwh: What it costs from then on; None if that is not known.
    """

    tariff: str
    currency: str
    per_kwh: float
    until: float
    next_per_kwh: float | None


@dataclass(frozen=True, slots=True)
class UtilityView:
    """How the link to a utility stands.

    Attributes:
        state: "searching", "connecting", "connected", "unreachable", "refused", "off".
        detail: One sentence for the owner.
        server: The server's URL, empty while none is found.
        lfdi: The home's own LFDI.
        last_contact: UTC epoch seconds of the last good answer; None if never.
        name: What the configuration calls it.
    """

    state: str
    detail: str
    server: str
    lfdi: str
    last_contact: float | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole home at one instant; `seq` counts up by one each control cycle.

    `utilities` are all that are configured, `utility` is the first of them.
    """

    at: float
    seq: int
    net_w: float | None
    limit_import_w: float | None
    limit_export_w: float | None
    devices: Sequence[DeviceView]
    events: Sequence[EventView]
    utility: UtilityView
    alarms: Sequence[str]
    messages: Sequence[MessageView] = ()
    price: PriceView | None = None
    utilities: Sequence[UtilityView] = ()


def for_guests(home: Snapshot) -> Snapshot:
    """Return what is shown to who may see the home and not steer it: not when people leave."""
    devices = (replace(each, reason="") if each.wanted else each for each in home.devices)
    return replace(home, devices=tuple(devices))


@dataclass(frozen=True, slots=True)
class Series:
    """A day's measurements of one device, or of the home's meter, thinned to equal steps.

    Attributes:
        device: Device id.
        at: Interval starts, UTC epoch seconds.
        power_w: Mean power of each interval; None where nothing was measured.
        soc: State of charge at each interval's end, or None.
    """

    device: str
    at: Sequence[float]
    power_w: Sequence[float | None]
    soc: Sequence[float | None]


class HomeSurface(Protocol):
    """What the page and the command line can ask of the running home."""

    def snapshot(self) -> Snapshot:
        """Return the present state; cheap, no I/O."""
        ...

    def idle_s(self) -> float:
        """Return how long ago the last control cycle was, by no clock that can be set, s.

        Before the first one: since the home was made.
        """
        ...

    def changes(self) -> AsyncIterator[Snapshot]:
        """Yield the present state, then each new one; slow readers skip, never queue."""
        ...

    async def opt_out(self, event: str) -> None:
        """Leave an event.

        Raises:
            UnknownEventError: No such event, or it is over.
            BindingEventError: Its programme does not allow it.
        """
        ...

    async def opt_in(self, event: str) -> None:
        """Take part again in an event that was left.

        Raises:
            UnknownEventError: No such event, or it is over.
        """
        ...

    async def acknowledge(self, message: str) -> None:
        """Note that the owner has read a message, and tell the utility if it asked for that.

        Raises:
            UnknownEventError: No such message, or its time is over.
        """
        ...

    async def wish(self, device: str, power_w: float, until: float) -> None:
        """Take the owner's direct wish about a device, in place of any before.

        Args:
            device: Its id.
            power_w: Power in W, passive sign; `programs.owner` says what it means.
            until: When the wish ends, UTC epoch seconds.

        Raises:
            UnknownDeviceError: There is no such device.
            ImpossibleWishError: The wish makes no sense.
        """
        ...

    async def end_wish(self, device: str) -> None:
        """End the owner's wish about a device; nothing happens if there is none.

        Raises:
            UnknownDeviceError: There is no such device.
        """
        ...

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        """Return every device's measurements in [start, end), UTC epoch seconds."""
        ...
