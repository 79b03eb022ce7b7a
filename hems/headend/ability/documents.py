"""What a home has said of itself, read from its documents.

What it set goes with what it is rated for: the lesser of the two holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, or_

from hems.headend.ability.told import Der, Shed
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

_WHOLE: Final = 10_000.0
"""Shares and states of charge are told in hundredths of a per cent."""
_OFF: Final = 1
"""As an operational mode."""
_CONNECTED: Final = 1
"""Bit of a connection status."""


class Document(NamedTuple):
    """A document of a home.

    Attributes:
        kind: Of it, as it is kept.
        record: What it says.
        at: When it came, epoch s.
    """

    kind: str
    record: Resource
    at: float


def telling() -> ColumnElement[bool]:
    """Return which rows of documents tell of what a home could do."""
    return or_(DocumentRow.kind.in_(tuple(_KINDS)), DocumentRow.kind.startswith(SHED))


@lru_cache(maxsize=4096)
def parsed(kind: str, body: bytes) -> Resource | None:
    """Return what a document says; homes of one make say the same of their ratings.

    Args:
        kind: Of it, as it is kept.
        body: XML.

    Returns:
        None for one that an earlier version kept and this one does not take.
    """
    try:
        return parse(body, _KINDS.get(kind, LoadShedAvailability))
    except Sep2Error:
        return None


def der_of(documents: Iterable[Document]) -> Der | None:
    """Return what a home told of its DER; None where it told nothing of any."""
    der: Der | None = None
    order = list(_KINDS)
    mine = [each for each in documents if each.kind in _KINDS]
    for document in sorted(mine, key=lambda each: order.index(each.kind)):
        der = _with(der or Der(), document.record, document.at)
    return der


def sheds_of(documents: Iterable[Document]) -> Mapping[int, Shed]:
    """Return what loads a home said that it could shed, by the number of the programme."""
    return {
        int(each.kind.removeprefix(SHED)): _shed(each.record, each.at)
        for each in documents
        if isinstance(each.record, LoadShedAvailability)
    }


def _with(der: Der, told: Resource, at: float) -> Der:
    match told:
        case DERCapability():
            return replace(
                der,
                rated_w=_amount(told.rtg_max_w),
                charge_w=_amount(told.rtg_max_charge_rate_w),
                discharge_w=_amount(told.rtg_max_discharge_rate_w),
                capacity_wh=_amount(told.rtg_max_wh),
                limits=told.doe_modes_supported,
            )
        case DERSettings():
            return replace(
                der,
                rated_w=_least(told.set_max_w, der.rated_w),
                charge_w=_least(told.set_max_charge_rate_w, der.charge_w),
                discharge_w=_least(told.set_max_discharge_rate_w, der.discharge_w),
                capacity_wh=_least(told.set_max_wh, der.capacity_wh),
            )
        case DERStatus():
            soc, mode = told.state_of_charge_status, told.operational_mode_status
            connections = [s for s in (told.gen_connect_status, told.stor_connect_status) if s]
            apart = bool(connections) and not any(s.value & _CONNECTED for s in connections)
            return replace(
                der,
                soc=None if soc is None else min(soc.value / _WHOLE, 1.0),
                off=apart or (mode is not None and mode.value == _OFF),
                status_at=at,
            )
        case DERAvailability():
            give_w, take_w = _amount(told.stat_w_avail), _amount(told.stat_w_absorb_avail)
            return replace(
                der,
                give_w=_part(told.reserve_percent, der.rated_w) if give_w is None else give_w,
                take_w=_part(told.reserve_charge_percent, der.charge_w)
                if take_w is None
                else take_w,
                give_s=told.availability_duration,
                take_s=told.max_charge_duration,
                said_at=at,
            )
        case _:
            return der


def _shed(entry: LoadShedAvailability, at: float) -> Shed:
    share = None if entry.sheddable_percent is None else entry.sheddable_percent / _WHOLE
    return Shed(_amount(entry.sheddable_power), share, entry.availability_duration, at)


def _amount(quantity: Scaled | None) -> float | None:
    return None if quantity is None else max(quantity.amount, 0.0)


def _least(quantity: Scaled | None, other: float | None) -> float | None:
    amount = _amount(quantity)
    return other if amount is None else amount if other is None else min(amount, other)


def _part(share: int | None, whole: float | None) -> float | None:
    return None if share is None or whole is None else share / _WHOLE * whole


_KINDS: Final[Mapping[str, type[Resource]]] = {
    "dercap": DERCapability,
    "derg": DERSettings,
    "ders": DERStatus,
    "dera": DERAvailability,
}
"""By kind, in the order in which they build on each other."""
