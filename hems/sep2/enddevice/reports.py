"""What a device says of itself to a server, and when that counts as having changed.

Each record carries the time since which it holds (`updatedTime`, `changedTime`, `readingTime`, and
`dateTime` in the parts of a DERStatus). Whoever makes a report stamps it with the present time;
`dated` turns that into the time of the last change, which is what the standard asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, TypeVar

from hems.sep2 import resources as res
from hems.sep2.resources.wire import Record

_DATES: Final = frozenset({"updated_time", "changed_time", "reading_time", "date_time"})
_SERVERS: Final = frozenset({"href", "subscribable", "extensions"})
"""Fields that are the server's own affair when it shows what it was given."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class DerReport:
    """What one DER says of itself; None for what it does not say."""

    capability: res.DERCapability | None = None
    settings: res.DERSettings | None = None
    status: res.DERStatus | None = None
    availability: res.DERAvailability | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a device says of itself; None or empty for what it does not say.

    Attributes:
        der: All of its DER together, for a server that knows it as one DER.
        ders: Each of its DER alone, for a server that knows several.
        information: Maker, model, versions.
        status: How it operates.
        power: How it is supplied.
        load_shed: What load it could shed, one entry a programme or one for all.
        configuration: Its own settings; put only where the server has none yet.
        connection_point: Where in the network it is connected (CSIP-AUS).
    """

    der: DerReport = DerReport()
    ders: Sequence[DerReport] = ()
    information: res.DeviceInformation | None = None
    status: res.DeviceStatus | None = None
    power: res.PowerStatus | None = None
    load_shed: Sequence[res.LoadShedAvailability] = ()
    configuration: res.Configuration | None = None
    connection_point: res.ConnectionPoint | None = None

    @property
    def tells_der(self) -> bool:
        """Whether it says anything of a DER."""
        return any(der != DerReport() for der in (self.der, *self.ders))


def dated(now: R, before: Record | None) -> R:
    """Return a record with the times at which its parts last changed.

    Args:
        now: The record, stamped with the present time.
        before: The one that was reported last, as this function returned it; None if none was.
    """
    if type(before) is not type(now):
        return now
    changes: dict[str, object] = {}
    for field in fields(now):
        value, old = getattr(now, field.name), getattr(before, field.name)
        if isinstance(value, Record) and value != old:
            changes[field.name] = dated(value, old)
    result = replace(now, **changes)  # type: ignore[arg-type]  # names and types are now's own
    dates = {f.name: getattr(before, f.name) for f in fields(now) if f.name in _DATES}
    undone: R = replace(result, **dates)
    return undone if undone == before else result


def shows(shown: Record, told: Record) -> bool:
    """Whether a server's record carries all that it was told; it may say more.

    Quantities are compared by amount: 5 kW is 5000 W whatever the multiplier.
    """
    if isinstance(told, res.Scaled) and isinstance(shown, res.Scaled):
        return shown.amount == told.amount
    for field in fields(told):
        value, other = getattr(told, field.name), getattr(shown, field.name, None)
        if field.name in _SERVERS or value is None or value == other:
            continue
        if not (isinstance(value, Record) and isinstance(other, Record) and shows(other, value)):
            return False
    return True


def dated_report(now: Report, before: Report | None) -> Report:
    """Return a report whose parts carry the time of their last change; see `dated`."""
    if before is None:
        return now
    pairs = zip(now.ders, (*before.ders, *(DerReport(),) * len(now.ders)), strict=False)
    return replace(
        now,
        der=_dated_der(now.der, before.der),
        ders=tuple(_dated_der(der, old) for der, old in pairs),
        information=now.information and dated(now.information, before.information),
        status=now.status and dated(now.status, before.status),
        power=now.power and dated(now.power, before.power),
    )


def _dated_der(now: DerReport, before: DerReport) -> DerReport:
    return DerReport(
        capability=now.capability,
        settings=now.settings and dated(now.settings, before.settings),
        status=now.status and dated(now.status, before.status),
        availability=now.availability and dated(now.availability, before.availability),
    )


def pressing(now: Record, before: Record) -> bool:
    """Whether a change is to be told at once and not at the next turn of the post rate.

    Amounts that drift (state of charge, what is available) and dates wait for their turn; a state
    that changes, a setting or a rating does not.
    """
    now = dated(now, before)
    if isinstance(now, res.DERAvailability | res.LoadShedAvailability):
        return False
    if isinstance(now, res.DERStatus) and isinstance(before, res.DERStatus):
        now, before = (
            replace(r, reading_time=0, state_of_charge_status=None) for r in (now, before)
        )
    return now != before


def match(types: Sequence[int | None], ders: Sequence[DerReport]) -> Sequence[int | None]:
    """Return for each DER of a server which of the home's it is; None for one it has not.

    Args:
        types: DERType of each as the server shows it; None where it shows none yet.
        ders: The home's.
    """
    found: list[int | None] = [None] * len(types)
    left = list(range(len(ders)))
    for place, kind in enumerate(types):
        same = (i for i in left if (c := ders[i].capability) is not None and c.type == kind)
        chosen = next(same, None) if kind is not None else None
        if chosen is not None:
            found[place] = chosen
            left.remove(chosen)
    for place, chosen in enumerate(found):
        if chosen is None and left:
            found[place] = left.pop(0)
    return found
