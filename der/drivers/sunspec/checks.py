"""What a SunSpec device says that it can do, and what is wrong with what it says."""

from collections.abc import Mapping, Sequence
from typing import Final

from der.commands import Ability, DeviceOptions, SelfTestReport
from der.drivers.sunspec.block import Block
from der.drivers.sunspec.controls import Controls
from der.drivers.sunspec.map import SunSpecMap, want
from der.drivers.sunspec.measures import MEASURES
from der.drivers.sunspec.model import repetitions
from der.errors import RefusalError

_RATINGS: Final = ((702, "WMaxRtg"), (702, "WMax"), (121, "WMax"), (120, "WRtg"))
_MOST_OF_RATING: Final = 1.5
"""An inverter may give a little more than its rating for a while, never half as much again."""
_DC_INPUTS: Final = ((714, "Prt"), (160, "module"))
_LOCAL: Final = ((715, "LocRemCtl"), (802, "LocRemCtl"))
_IS_LOCAL: Final = 1


async def options(device: SunSpecMap, controls: Controls) -> DeviceOptions:
    """Return what a device can do.

    Raises:
        TransientError: No usable answer.
    """
    numbers = " ".join(str(model_id) for model_id in device.ids)
    ratings = controls.reactive_ratings
    return DeviceOptions(
        abilities=controls.abilities | {Ability.SELF_TEST},
        functions=controls.functions,
        safeguard=controls.safeguard,
        details=(f"SunSpec models {numbers}", *await _dc_inputs(device)),
        untimed=controls.untimed,
        absorbed_var=ratings.absorbed_var,
        injected_var=ratings.injected_var,
        rated_va=ratings.rated_va,
    )


async def check(device: SunSpecMap, controls: Controls, measured: Block) -> SelfTestReport:
    """Return what is wrong with a device's registers; nothing is written.

    Args:
        device: Its models.
        controls: What can be written to it.
        measured: Its measuring model, as just read.

    Raises:
        TransientError: No usable answer.
    """
    blocks: dict[int, Block] = {}
    faults = _unscaled(measured)
    try:
        read = await device.read([want(at) for at in device.models.values()], "self-test")
        blocks = {block.model.id: block for block in read}
    except RefusalError as refusal:
        faults.append(f"it refuses to show some of its registers ({refusal})")
    faults += [
        *_beyond_rating(blocks, measured),
        *_local(blocks),
        *controls.self_test(),
    ]
    fine = "what it measures has values and scale factors that make sense"
    return SelfTestReport(not faults, (*(faults or [fine]), *_mandatory(blocks)))


def _unscaled(measured: Block) -> list[str]:
    """Return the points of a reading whose scale factor is missing or nonsense."""
    measures = MEASURES[measured.model.id]
    where = f"model {measured.model.id}"
    found = [
        f"{where} {name} has a value and no scale factor that can be"
        for name in measures.names
        if measured.has(name) and measured.exponent(name) is None
    ]
    if not measured.has(measures.power):
        found.append(f"{where} {measures.power} is not implemented: its power is not known")
    return found


def _beyond_rating(blocks: Mapping[int, Block], measured: Block) -> list[str]:
    power = measured.number(MEASURES[measured.model.id].power)
    for model_id, name in _RATINGS:
        rated = blocks[model_id].number(name) if model_id in blocks else None
        if power is not None and rated and abs(power) > _MOST_OF_RATING * rated:
            said = f"model {measured.model.id} says {power:g} W"
            return [f"{said}, model {model_id} {name} {rated:g} W: a scale factor is wrong"]
    return []


def _local(blocks: Mapping[int, Block]) -> list[str]:
    return [
        f"model {model_id}: it is in local control and takes no set-points"
        for model_id, name in _LOCAL
        if model_id in blocks and blocks[model_id].number(name) == _IS_LOCAL
    ]


def _mandatory(blocks: Mapping[int, Block]) -> list[str]:
    """Return the mandatory points that a device's models lack, one sentence for a model.

    Those of groups that repeat are left out: a slot that nobody has filled has none.
    """
    found = []
    for model_id, block in blocks.items():
        missing = [
            name
            for name, point in block.model.points.items()
            if point.mandatory and point.type != "string" and "[" not in name
            if not block.has(name)
        ]
        if missing:
            found.append(f"model {model_id} does without {', '.join(missing)}")
    return found


async def _dc_inputs(device: SunSpecMap) -> Sequence[str]:
    """Describe the DC inputs of an inverter, by the first model that tells them."""
    for model_id, group in _DC_INPUTS:
        at = device.models.get(model_id)
        if at is None:
            continue
        (block,) = await device.read([want(at)], f"model {model_id}")
        return [
            f"DC input {number}{_named(block.text(f'{group}[{number}].IDStr'))}: "
            f"{_in(block.number(f'{group}[{number}].DCW'), 'W')}, "
            f"{_in(block.number(f'{group}[{number}].DCV'), 'V')}"
            for number in range(1, repetitions(at.model, group) + 1)
        ]
    return ()


def _named(text: str) -> str:
    return f" {text!r}" if text else ""


def _in(value: float | None, unit: str) -> str:
    return f"no {unit}" if value is None else f"{value:g} {unit}"
