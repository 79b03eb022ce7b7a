"""Responses, from what came due to what is posted: the same bytes each time."""

from dataclasses import dataclass, replace

from hems.sep2 import resources as res
from hems.sep2.book.controls import Control, mode_bits
from hems.sep2.book.kinds import KINDS, RESPONSES
from hems.sep2.book.ledger import ResponseRow
from hems.sep2.errors import MalformedError
from hems.sep2.rules.events import Event
from hems.sep2.rules.lifecycle import Owed
from hems.sep2.xml import parse, serialize

_MOST_UINT8 = 0xFF
_MOST_UINT16 = 0xFFFF
_UNITS = {0: 1000.0, 1: 1000.0, 2: 1.0, 7: 1055.05585262 / 3600.0, 11: 1e6 / 3600.0}
"""UnitType of a reduction (kWh, kW, W, BTU, MJ): its unit's worth in Wh or W."""
_WATTS = 2


@dataclass(frozen=True, slots=True)
class Applied:
    """What the home really did of a load control; None for what it did nothing about.

    Attributes:
        reduction: Load that was shed, W, or energy that was saved, Wh, as the event asks it.
        duty_cycle: Share of time that the load ran, per cent.
        cooling_offset_k: How far a cooling set-point was moved, either way.
        heating_offset_k: The same of a heating set-point.
        load_offset: How far the load was moved, per cent.
        cooling_c: Cooling set-point applied.
        heating_c: Heating set-point applied.
        appliance: ApplianceLoadReductionType applied.
    """

    reduction: float | None = None
    duty_cycle: float | None = None
    cooling_offset_k: float | None = None
    heating_offset_k: float | None = None
    load_offset: float | None = None
    cooling_c: float | None = None
    heating_c: float | None = None
    appliance: int | None = None


@dataclass(frozen=True, slots=True)
class Answerer:
    """Whose answers these are.

    Attributes:
        server: Name of the server, the ledger's key.
        lfdi: LFDI of the answering device.
    """

    server: str
    lfdi: str

    def row(self, event: Event, owed: Owed, now: float, detail: bytes = b"") -> ResponseRow:
        """Return an owed response as the ledger keeps it; the event must have a `reply_to`."""
        return ResponseRow(
            subject=event.mrid,
            lfdi=self.lfdi,
            status=int(owed.code),
            modes=",".join(sorted(owed.modes)),
            created=int(now),
            reply_to=event.reply_to or "",
            kind=KINDS[event.kind].response.__name__,
            server=self.server,
            detail=detail,
        )

    def applied(self, control: Control, what: Applied) -> bytes:
        """Return what was applied of a load control, as the ledger keeps it.

        Raises:
            TypeError: The event is no load control.
        """
        if not isinstance(control, res.EndDeviceControl):
            raise TypeError(f"{type(control).__name__} cannot tell what was applied of it")
        offset = res.Offset(
            cooling_offset=_small(what.cooling_offset_k, 0.1, _MOST_UINT8),
            heating_offset=_small(what.heating_offset_k, 0.1, _MOST_UINT8),
            load_adjustment_percentage_offset=_small(what.load_offset, 0.01, _MOST_UINT16),
        )
        set_point = res.SetPoint(
            cooling_setpoint=_hundredths(what.cooling_c),
            heating_setpoint=_hundredths(what.heating_c),
        )
        duty = _small(what.duty_cycle, 1.0, 100)
        response = res.DrResponse(
            end_device_lfdi=self.lfdi,
            subject=control.mrid,
            appliance_load_reduction=None
            if what.appliance is None
            else res.ApplianceLoadReduction(type=what.appliance),
            applied_target_reduction=_reduction(control, what.reduction),
            duty_cycle=None if duty is None else res.DutyCycle(normal_value=duty),
            offset=None if offset == res.Offset() else offset,
            set_point=None if set_point == res.SetPoint() else set_point,
        )
        return serialize(response)

    def detail(self, control: Control, applied: bytes, overridden_s: float) -> bytes:
        """Return what a response says beyond its code: what was applied, how long overridden."""
        if overridden_s <= 0 or not isinstance(control, res.EndDeviceControl):
            return applied
        known = res.DrResponse(end_device_lfdi=self.lfdi, subject=control.mrid)
        if applied:
            known = parse(applied, res.DrResponse)
        total = min(round(overridden_s), _MOST_UINT16)
        return serialize(replace(known, override_duration=total))


def resource_of(row: ResponseRow) -> res.Response:
    """Return the response to post.

    Raises:
        MalformedError: The ledger's row cannot be read.
    """
    made = RESPONSES.get(row.kind)
    if made is None:
        raise MalformedError(row.kind, "no kind of response that is known here")
    said = (
        parse(row.detail, made)
        if row.detail
        else made(end_device_lfdi=row.lfdi, subject=row.subject)
    )
    response = replace(
        said,
        created_date_time=row.created,
        end_device_lfdi=row.lfdi,
        status=row.status,
        subject=row.subject,
    )
    if not isinstance(response, res.DERControlResponse) or not row.modes:
        return response
    bits, bits2 = mode_bits(frozenset(row.modes.split(",")))
    return replace(response, modes_responded=bits, modes_responded2=bits2 or None)


def _small(value: float | None, unit: float, most: int) -> int | None:
    return None if value is None else min(round(abs(value) / unit), most)


def _hundredths(celsius: float | None) -> int | None:
    return None if celsius is None else max(-27315, min(round(celsius * 100), 0x7FFF))


def _reduction(
    control: res.EndDeviceControl, amount: float | None
) -> res.AppliedTargetReduction | None:
    """Return the reduction in the unit that was asked for; kW in W, which loses nothing."""
    if amount is None or control.target_reduction is None:
        return None
    asked = control.target_reduction.type
    if asked == 1 and abs(amount) <= _MOST_UINT16:
        asked = _WATTS
    value = min(max(0, round(amount / _UNITS.get(asked, 1.0))), _MOST_UINT16)
    return res.AppliedTargetReduction(type=asked, value=value)
