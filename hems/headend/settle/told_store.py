"""What homes told of their DER, loads and meters, from the database: some homes at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, bindparam, or_, select

from hems.headend.models import DocumentRow
from hems.headend.rows import AnyRow
from hems.headend.settle.ability import Der, Shed, Told
from hems.headend.settle.power_store import latest_power
from hems.headend.views_shed import KIND as SHED
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

MOST_HOMES: Final = 500
"""In one call."""

_SOC: Final = 10_000.0
_PERCENT: Final = 10_000.0
"""Shares are told in hundredths of a per cent."""
_CONNECTED: Final = 1
"""Bit of a connection status."""


def told_of(
    connection: Connection, lfdis: Sequence[str], heard: Mapping[str, float], since: float
) -> Mapping[str, Told]:
    """Return what is known of homes.

    Args:
        connection: Where to look.
        lfdis: Which, at most `MOST_HOMES`.
        heard: When each was last heard of, epoch s.
        since: Meter readings from then on count.
    """
    read = latest_power(connection, lfdis, since)
    papers = _papers(connection, lfdis)
    found: dict[str, Told] = {}
    for lfdi in lfdis:
        at, net_w = read.get(lfdi, (None, None))
        own = papers.get(lfdi, ())
        found[lfdi] = Told(heard.get(lfdi), net_w, at, _der(own), _shed(own))
    return found


def ders_of(connection: Connection, lfdis: Sequence[str]) -> Mapping[str, Der]:
    """Return what homes told of their DER; those that told nothing are not there.

    Args:
        connection: Where to look.
        lfdis: Which, at most `MOST_HOMES`.
    """
    told = {lfdi: _der(rows) for lfdi, rows in _papers(connection, lfdis).items()}
    return {lfdi: der for lfdi, der in told.items() if der is not None}


def _papers(connection: Connection, lfdis: Sequence[str]) -> Mapping[str, Sequence[AnyRow]]:
    found: dict[str, list[AnyRow]] = {}
    rows: CursorResult[Any] = connection.execute(_DOCUMENTS, {"lfdis": list(lfdis)})
    for row in rows:
        found.setdefault(row.lfdi, []).append(row)
    return found


def _der(rows: Sequence[AnyRow]) -> Der | None:
    """Return what a home told of its DER: what it set goes before what it is rated for."""
    der, empty = Der(), True
    for row in sorted(rows, key=lambda row: _ORDER.get(row.kind, -1)):
        if row.kind in _ORDER:
            der = _with(der, _parsed(row.kind, row.body), row.updated_at)
            empty = False
    return None if empty else der


def _with(der: Der, told: Resource, at: float) -> Der:
    match told:
        case DERCapability():
            return replace(
                der,
                rated_w=told.rtg_max_w.amount,
                charge_w=_amount(told.rtg_max_charge_rate_w),
                discharge_w=_amount(told.rtg_max_discharge_rate_w),
                capacity_wh=_amount(told.rtg_max_wh),
            )
        case DERSettings():
            return replace(
                der,
                rated_w=told.set_max_w.amount,
                charge_w=_amount(told.set_max_charge_rate_w, der.charge_w),
                discharge_w=_amount(told.set_max_discharge_rate_w, der.discharge_w),
                capacity_wh=_amount(told.set_max_wh, der.capacity_wh),
            )
        case DERStatus():
            soc = told.state_of_charge_status
            connections = [s for s in (told.gen_connect_status, told.stor_connect_status) if s]
            return replace(
                der,
                soc=None if soc is None else min(soc.value / _SOC, 1.0),
                off=bool(connections) and not any(s.value & _CONNECTED for s in connections),
                status_at=at,
            )
        case DERAvailability():
            give_w = _amount(told.stat_w_avail, _part(told.reserve_percent, der.rated_w))
            take_w = _amount(
                told.stat_w_absorb_avail, _part(told.reserve_charge_percent, der.charge_w)
            )
            return replace(
                der,
                give_w=give_w,
                take_w=take_w,
                give_s=told.availability_duration,
                take_s=told.max_charge_duration,
                said_at=at,
            )
        case _:
            return der


def _shed(rows: Sequence[AnyRow]) -> Shed | None:
    """Return the greatest load that a home told: programmes' entries are of the same load."""
    found: Shed | None = None
    for row in rows:
        if not row.kind.startswith(SHED):
            continue
        told = _parsed(SHED, row.body)
        if not isinstance(told, LoadShedAvailability):
            continue
        share = None if told.sheddable_percent is None else told.sheddable_percent / _PERCENT
        power_w = _amount(told.sheddable_power)
        each = Shed(power_w, share, told.availability_duration, row.updated_at)
        if found is None or (each.power_w or 0.0) > (found.power_w or 0.0):
            found = each
    return found


def _amount(quantity: Scaled | None, otherwise: float | None = None) -> float | None:
    return otherwise if quantity is None else quantity.amount


def _part(share: int | None, whole: float | None) -> float | None:
    return None if share is None or whole is None else share / _PERCENT * whole


@lru_cache(maxsize=4096)
def _parsed(kind: str, body: bytes) -> Resource:
    """Return a document; homes of one make say the same of their ratings."""
    return parse(body, _KINDS[kind])


_KINDS: Final[Mapping[str, type[Resource]]] = {
    "dercap": DERCapability,
    "derg": DERSettings,
    "ders": DERStatus,
    "dera": DERAvailability,
    SHED: LoadShedAvailability,
}
_ORDER: Final = {"dercap": 0, "derg": 1, "ders": 2, "dera": 3}
_DOCUMENTS: Final = select(
    DocumentRow.lfdi, DocumentRow.kind, DocumentRow.body, DocumentRow.updated_at
).where(
    DocumentRow.lfdi.in_(bindparam("lfdis", expanding=True)),
    or_(DocumentRow.kind.in_(tuple(_ORDER)), DocumentRow.kind.startswith(SHED)),
)
