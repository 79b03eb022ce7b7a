"""What homes have said of themselves: ratings, settings, what could be done; read once each."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, select

from hems.headend.models import DocumentRow
from hems.headend.views_shed import KIND as SHED
from hems.sep2.errors import Sep2Error
from hems.sep2.resources import (
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    LoadShedAvailability,
    Resource,
)
from hems.sep2.resources.quantities import Scaled
from hems.sep2.xml import parse

R = TypeVar("R")
_R = TypeVar("_R", bound=Resource)
_Key = tuple[str, str]
"""LFDI, and kind of document."""
_CHUNK: Final = 200
_FULL: Final = 10_000
_OFF: Final = 1
FOR_ALL: Final = 0


@dataclass(frozen=True, slots=True)
class Shed:
    """Load that could be shed.

    Attributes:
        power_w: How much.
        duration_s: For how long; None where that does not matter, or is not known.
    """

    power_w: float
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a home has said; None for what it never said.

    Attributes:
        max_w: The most that its DER may give.
        charge_w: The most that its storage may take.
        discharge_w: The most that its storage may give.
        storage_wh: What its storage holds when full.
        soc: State of charge, 0 to 1.
        off: Whether its DER is switched off.
        give_w: What it could give more now.
        take_w: What it could take more now.
        give_s: For how long it could give that.
        take_s: For how long it could take that.
        limits: Which limits in watts it knows, as doeModesSupported has them.
        sheds: Load that could be shed, by index of the programme, 0 for any.
        said_at: When it said something last, epoch s.
    """

    max_w: float | None = None
    charge_w: float | None = None
    discharge_w: float | None = None
    storage_wh: float | None = None
    soc: float | None = None
    off: bool = False
    give_w: float | None = None
    take_w: float | None = None
    give_s: float | None = None
    take_s: float | None = None
    limits: int | None = None
    sheds: Mapping[int, Shed] | None = None
    said_at: float = 0.0


NOTHING: Final = Told()


class Inquiries(Protocol):
    """The database: see `hems.headend.db.database.Database`."""

    async def inquire(self, work: Callable[[Connection], R]) -> R:
        """Run queries that are a plain function."""
        ...


class Sayings:
    """What all homes have said, each document parsed once.

    Args:
        database: Where homes' documents are.
    """

    def __init__(self, database: Inquiries) -> None:
        self._database = database
        self._known: dict[_Key, tuple[float, Resource | None]] = {}
        self._told: dict[str, Told] = {}

    async def read(self) -> Mapping[str, Told]:
        """Return what each home has said, by LFDI; those that never said anything are not in it.

        Raises:
            BusyError: The database cannot serve.
        """
        times = await self._database.inquire(_times)
        gone = self._known.keys() - times.keys()
        fresh = sorted(key for key, at in times.items() if self._known.get(key, (-1.0,))[0] != at)
        for key in gone:
            del self._known[key]
        for start in range(0, len(fresh), _CHUNK):
            some = frozenset(fresh[start : start + _CHUNK])
            rows = await self._database.inquire(_bodies_of(some))
            # The first time it is all that all homes ever said: not on the event loop.
            self._known |= await asyncio.to_thread(_parsed_all, rows)
        changed = {lfdi for lfdi, _ in (*gone, *fresh)}
        mine: dict[str, dict[str, Resource]] = {lfdi: {} for lfdi in changed}
        for (lfdi, kind), (_, record) in self._known.items():
            if lfdi in changed and record is not None:
                mine[lfdi][kind] = record
        latest: dict[str, float] = {}
        for (lfdi, _), at in times.items():
            latest[lfdi] = max(at, latest.get(lfdi, 0.0))
        for lfdi, records in mine.items():
            self._told[lfdi] = replace(told_by(records), said_at=latest.get(lfdi, 0.0))
        return self._told


def _times(connection: Connection) -> dict[_Key, float]:
    wanted = DocumentRow.kind.in_(_KINDS) | DocumentRow.kind.startswith(SHED)
    query = select(DocumentRow.lfdi, DocumentRow.kind, DocumentRow.updated_at).where(wanted)
    return {(row.lfdi, row.kind): row.updated_at for row in connection.execute(query)}


def _bodies_of(keys: frozenset[_Key]) -> Callable[[Connection], list[tuple[_Key, float, bytes]]]:
    query = select(DocumentRow.__table__).where(
        DocumentRow.lfdi.in_({lfdi for lfdi, _ in keys}),
        DocumentRow.kind.in_({kind for _, kind in keys}),
    )

    def work(connection: Connection) -> list[tuple[_Key, float, bytes]]:
        rows = connection.execute(query)
        found = [((row.lfdi, row.kind), row.updated_at, row.body) for row in rows]
        return [row for row in found if row[0] in keys]

    return work


def _parsed_all(
    rows: list[tuple[_Key, float, bytes]],
) -> dict[_Key, tuple[float, Resource | None]]:
    return {key: (at, _parsed(key[1], body)) for key, at, body in rows}


def told_by(records: Mapping[str, Resource]) -> Told:
    """Return what a home has said, by the kinds of its documents; pure."""
    capability = _one(records, "dercap", DERCapability)
    settings = _one(records, "derg", DERSettings)
    status = _one(records, "ders", DERStatus)
    ready = _one(records, "dera", DERAvailability)
    soc = None if status is None else status.state_of_charge_status
    mode = None if status is None else status.operational_mode_status
    sheds = {
        int(kind.removeprefix(SHED)): _shed(record)
        for kind, record in records.items()
        if isinstance(record, LoadShedAvailability)
    }
    return Told(
        max_w=_least(
            None if settings is None else settings.set_max_w,
            None if capability is None else capability.rtg_max_w,
        ),
        charge_w=_least(
            None if settings is None else settings.set_max_charge_rate_w,
            None if capability is None else capability.rtg_max_charge_rate_w,
        ),
        discharge_w=_least(
            None if settings is None else settings.set_max_discharge_rate_w,
            None if capability is None else capability.rtg_max_discharge_rate_w,
        ),
        storage_wh=_least(
            None if settings is None else settings.set_max_wh,
            None if capability is None else capability.rtg_max_wh,
        ),
        soc=None if soc is None else min(soc.value / _FULL, 1.0),
        off=mode is not None and mode.value == _OFF,
        give_w=None if ready is None else _amount(ready.stat_w_avail),
        take_w=None if ready is None else _amount(ready.stat_w_absorb_avail),
        give_s=None if ready is None else ready.availability_duration,
        take_s=None if ready is None else ready.max_charge_duration,
        limits=None if capability is None else capability.doe_modes_supported,
        sheds=sheds or None,
    )


_KINDS: Final[Mapping[str, type[Resource]]] = {
    "dercap": DERCapability,
    "derg": DERSettings,
    "ders": DERStatus,
    "dera": DERAvailability,
}


def _parsed(kind: str, body: bytes) -> Resource | None:
    try:
        return parse(body, _KINDS.get(kind, LoadShedAvailability))
    except Sep2Error:
        return None  # kept by an earlier version that took what this one does not


def _one(records: Mapping[str, Resource], kind: str, expected: type[_R]) -> _R | None:
    record = records.get(kind)
    return record if isinstance(record, expected) else None


def _shed(entry: LoadShedAvailability) -> Shed:
    return Shed(_amount(entry.sheddable_power) or 0.0, entry.availability_duration)


def _least(*quantities: Scaled | None) -> float | None:
    known = [q.amount for q in quantities if q is not None]
    return max(min(known), 0.0) if known else None


def _amount(quantity: Scaled | None) -> float | None:
    return None if quantity is None else max(quantity.amount, 0.0)
