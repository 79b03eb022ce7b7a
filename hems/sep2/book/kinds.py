"""The kinds of events: one table of what sets them apart, and nothing else that knows it.

All five are received, started, ended, superseded and answered by the same rules
(`hems.sep2.rules`). They differ in their lists, in what they ask, in who contends with whom and in
what may be answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hems.sep2 import resources as res
from hems.sep2.book.controls import Control, der_modes, load_modes
from hems.sep2.resources.layout import layout
from hems.sep2.rules.events import Event, ModeValue, Program, Status
from hems.sep2.rules.lifecycle import Code, Profile

Listed: TypeAlias = (
    res.DERControlList
    | res.EndDeviceControlList
    | res.TimeTariffIntervalList
    | res.TextMessageList
    | res.FlowReservationResponseList
)

_COMMON: Final = frozenset(Code) - {
    Code.OPT_OUT,
    Code.OPT_IN,
    Code.PARTLY_OPT_OUT,
    Code.PARTLY_OPT_IN,
    Code.ACKNOWLEDGED,
}
_CHOICES: Final = frozenset(Code) - {Code.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True)
class Kind:
    """What sets one kind of events apart.

    Attributes:
        single: Class of the event.
        listed: Class of its list.
        response: Class of the answer to it.
        codes: Response codes that make sense for it.
        by_devices: Whether devices carry it out, so that `Profile.modes` applies; what is only
            told (a price, a message, a reservation) any home can take in.
        by_mode: Whether a response of 2023 says for which modes it is.
    """

    single: type[Control]
    listed: type[Listed]
    response: type[res.Response]
    codes: frozenset[Code]
    by_devices: bool = False
    by_mode: bool = False

    @property
    def name(self) -> str:
        """Name of the resource type."""
        return self.single.__name__

    @property
    def leavable(self) -> bool:
        """Whether the owner can be asked to leave it at all."""
        return Code.OPT_OUT in self.codes

    def items(self, listed: Listed) -> Sequence[Control]:
        """Return the events in a list of this kind."""
        slot = layout(self.listed).items
        items: Sequence[Control] = getattr(listed, slot.attr) if slot is not None else ()
        return items

    def poll_s(self, listed: Listed) -> float | None:
        """Return the poll rate that a list of this kind says for itself, in s; None if none."""
        own: float | None = getattr(listed, "poll_rate", None)
        return own

    def profile(self, profile: Profile) -> Profile:
        """Return how the home answers events of this kind, given how it answers at all."""
        return replace(
            profile,
            codes=profile.codes & self.codes,
            modes=profile.modes if self.by_devices else None,
            by_mode=profile.answers_by_mode and self.by_mode,
        )


_KINDS: Final = (
    Kind(
        res.DERControl,
        res.DERControlList,
        res.DERControlResponse,
        _CHOICES,
        by_devices=True,
        by_mode=True,
    ),
    Kind(
        res.EndDeviceControl,
        res.EndDeviceControlList,
        res.DrResponse,
        _CHOICES,
        by_devices=True,
    ),
    Kind(res.TimeTariffInterval, res.TimeTariffIntervalList, res.PriceResponse, _COMMON),
    Kind(
        res.TextMessage,
        res.TextMessageList,
        res.TextResponse,
        _COMMON | {Code.ACKNOWLEDGED},
    ),
    Kind(
        res.FlowReservationResponse,
        res.FlowReservationResponseList,
        res.FlowReservationResponseResponse,
        _CHOICES,
    ),
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _KINDS}
"""By name of the resource type."""

RESPONSES: Final[Mapping[str, type[res.Response]]] = {
    kind.response.__name__: kind.response for kind in _KINDS
}
"""The classes of responses by name."""


def kind_of(single: type[Control]) -> Kind:
    """Return the kind of a class of events."""
    return KINDS[single.__name__]


def modes_of(control: Control, program: Program) -> Mapping[str, ModeValue]:
    """Return what an event sets. Events contend for what they both set, by this name.

    A message contends with nothing, a price with others of its rate component (which is its
    programme here), a reservation with others for the same request.
    """
    match control:
        case res.DERControl():
            return der_modes(control)
        case res.EndDeviceControl():
            return load_modes(control)
        case res.TimeTariffInterval():
            return {f"TimeTariffInterval {program.mrid}": float(control.tou_tier)}
        case res.TextMessage():
            return {f"TextMessage {control.mrid.upper()}": control.text_message}
        case res.FlowReservationResponse():
            granted = (control.power_available.watts, control.energy_available.amount)
            return {f"FlowReservationResponse {control.subject.upper()}": granted}


def override_s(control: Control) -> int:
    """Return for how long the owner may override an event without leaving it, in s."""
    return (control.override_duration or 0) if isinstance(control, res.EndDeviceControl) else 0


def event_of(control: Control, program: Program, now: float) -> Event:
    """Return an event in neutral words.

    Args:
        control: As read.
        program: Whose it is.
        now: Server's clock; no status is taken to begin later than that.
    """
    status = control.event_status
    try:
        current = Status(status.current_status)
    except ValueError:  # reserved values: whatever it may mean one day, it is not a cancellation
        current = Status.SCHEDULED
    drawn = control if isinstance(control, res.RandomizableEvent) else None
    meant = control if isinstance(control, res.DERControl | res.EndDeviceControl) else None
    return Event(
        mrid=control.mrid.upper(),
        program=program,
        creation_time=control.creation_time,
        start=control.interval.start,
        duration_s=control.interval.duration,
        modes=modes_of(control, program),
        kind=type(control).__name__,
        status=current,
        status_time=min(status.date_time, int(now)),
        randomize_start_s=(drawn.randomize_start or 0) if drawn else 0,
        randomize_duration_s=(drawn.randomize_duration or 0) if drawn else 0,
        device_category=meant.device_category if meant else None,
        response_required=control.response_required or 0,
        reply_to=control.reply_to,
        mandatory=isinstance(control, res.EndDeviceControl) and control.dr_program_mandatory,
        description=control.description or "",
        ramp_s=_ramp_s(control),
    )


def _ramp_s(control: Control) -> float | None:
    ramp = control.der_control_base.ramp_tms if isinstance(control, res.DERControl) else None
    return None if ramp is None else ramp / 100
