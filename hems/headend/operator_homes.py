"""What a home says of itself, as the operator sees it: ratings, settings, what it could do."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from hems.headend.records import Program, ProgramKind
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

_SOC_SCALE = 10000
_PERCENT = 100
_R = TypeVar("_R", bound=Resource)


class DerStatusOut(BaseModel):
    """The last DERStatus of a home; `soc` 0-1."""

    reading_time: int
    soc: float | None
    operational_mode: int | None
    inverter: int | None
    gen_connect: int | None
    stor_connect: int | None


class DerCapabilityOut(BaseModel):
    """Ratings; powers in W, var, energy in Wh, `modes` in hex as the standard counts them."""

    type: int
    modes: str
    modes2: str | None
    max_w: float
    max_var: float | None
    max_charge_w: float | None
    max_discharge_w: float | None
    max_wh: float | None


class DerSettingsOut(BaseModel):
    """Settings within the ratings; the gradient in per cent of `max_w` a second."""

    updated_time: int
    modes: str | None
    max_w: float
    max_var: float | None
    max_charge_w: float | None
    max_discharge_w: float | None
    grad_w: float


class DerAvailabilityOut(BaseModel):
    """What the DER could do from `reading_time` on; reserves in per cent."""

    reading_time: int
    duration_s: int | None
    max_charge_duration_s: int | None
    reserve_percent: float | None
    reserve_charge_percent: float | None
    give_w: float | None
    take_w: float | None
    give_var: float | None
    take_var: float | None


class LoadShedOut(BaseModel):
    """Load that could be shed; `program` is None where it is for all programmes."""

    program: str | None
    power_w: float | None
    percent: float | None
    duration_s: int | None


class SelfReport(BaseModel):
    """All that a home says of its DER and its loads; None where it never did."""

    der_status: DerStatusOut | None
    der_capability: DerCapabilityOut | None
    der_settings: DerSettingsOut | None
    der_availability: DerAvailabilityOut | None
    load_shed: list[LoadShedOut]


def self_report(documents: Mapping[str, bytes], programs: Mapping[int, Program]) -> SelfReport:
    """Return what a home says of itself.

    Args:
        documents: What it put, by kind.
        programs: All programmes, by index.
    """
    status = _document(documents, "ders", DERStatus)
    capability = _document(documents, "dercap", DERCapability)
    settings = _document(documents, "derg", DERSettings)
    availability = _document(documents, "dera", DERAvailability)
    return SelfReport(
        der_status=None if status is None else _status(status),
        der_capability=None if capability is None else _capability(capability),
        der_settings=None if settings is None else _settings(settings),
        der_availability=None if availability is None else _availability(availability),
        load_shed=_sheds(documents, programs),
    )


def _document(documents: Mapping[str, bytes], kind: str, record: type[_R]) -> _R | None:
    body = documents.get(kind)
    return None if body is None else parse(body, record)


def _status(status: DERStatus) -> DerStatusOut:
    soc, mode = status.state_of_charge_status, status.operational_mode_status
    inverter = status.inverter_status
    gen, stor = status.gen_connect_status, status.stor_connect_status
    return DerStatusOut(
        reading_time=status.reading_time,
        soc=None if soc is None else soc.value / _SOC_SCALE,
        operational_mode=None if mode is None else mode.value,
        inverter=None if inverter is None else inverter.value,
        gen_connect=None if gen is None else gen.value,
        stor_connect=None if stor is None else stor.value,
    )


def _capability(told: DERCapability) -> DerCapabilityOut:
    more = told.modes_supported2
    return DerCapabilityOut(
        type=told.type,
        modes=f"{told.modes_supported:08X}",
        modes2=None if more is None else f"{more:08X}",
        max_w=told.rtg_max_w.watts,
        max_var=_amount(told.rtg_max_var),
        max_charge_w=_amount(told.rtg_max_charge_rate_w),
        max_discharge_w=_amount(told.rtg_max_discharge_rate_w),
        max_wh=_amount(told.rtg_max_wh),
    )


def _settings(told: DERSettings) -> DerSettingsOut:
    modes = told.modes_enabled
    return DerSettingsOut(
        updated_time=told.updated_time,
        modes=None if modes is None else f"{modes:08X}",
        max_w=told.set_max_w.watts,
        max_var=_amount(told.set_max_var),
        max_charge_w=_amount(told.set_max_charge_rate_w),
        max_discharge_w=_amount(told.set_max_discharge_rate_w),
        grad_w=told.set_grad_w / _PERCENT,
    )


def _availability(told: DERAvailability) -> DerAvailabilityOut:
    return DerAvailabilityOut(
        reading_time=told.reading_time,
        duration_s=told.availability_duration,
        max_charge_duration_s=told.max_charge_duration,
        reserve_percent=_percent(told.reserve_percent),
        reserve_charge_percent=_percent(told.reserve_charge_percent),
        give_w=_amount(told.stat_w_avail),
        take_w=_amount(told.stat_w_absorb_avail),
        give_var=_amount(told.stat_var_avail),
        take_var=_amount(told.stat_var_absorb_avail),
    )


def _sheds(documents: Mapping[str, bytes], programs: Mapping[int, Program]) -> list[LoadShedOut]:
    found: list[LoadShedOut] = []
    for kind in sorted(kind for kind in documents if kind.startswith(SHED)):
        told = parse(documents[kind], LoadShedAvailability)
        number = int(kind.removeprefix(SHED))
        program = programs.get(number)
        if number and (program is None or program.kind is not ProgramKind.DRLC):
            continue  # of a programme that is no more; it holds for no other
        found.append(
            LoadShedOut(
                program=None if program is None else program.name,
                power_w=_amount(told.sheddable_power),
                percent=_percent(told.sheddable_percent),
                duration_s=told.availability_duration,
            )
        )
    return found


def _amount(quantity: Scaled | None) -> float | None:
    return None if quantity is None else quantity.amount


def _percent(value: int | None) -> float | None:
    return None if value is None else value / _PERCENT
