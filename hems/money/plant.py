"""What the twins have, of what the devices say of themselves; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from der.model import DeviceKind, Quality
from hems.cem.needs import StorageFacts
from hems.image import Image
from hems.money.flows import WAITS
from hems.money.settle import Plant
from hems.money.twins import Cell
from hems.money.wanting import Load


@dataclass(frozen=True, slots=True)
class Facts:
    """What was commissioned.

    Attributes:
        reserve_soc: Share of a battery that self-consumption leaves in it.
        storage: Of batteries, by id.
    """

    reserve_soc: float = 0.1
    storage: Mapping[str, StorageFacts] = field(default_factory=dict)


def plant(image: Image, facts: Facts, before: Plant) -> Plant:
    """Return what the house has.

    Args:
        image: The devices; one that is silent keeps what it said before.
        facts: What was commissioned.
        before: What it had before.
    """
    cells: dict[str, Cell] = {}
    loads: dict[str, Load] = {}
    batteries = 0
    for state in image.devices.values():
        spec = state.spec
        if spec.kind in WAITS:
            loads[spec.id] = Load(spec.max_w, shaped=spec.kind is DeviceKind.PLUG)
        if spec.kind is not DeviceKind.BATTERY:
            continue
        batteries += 1
        known = facts.storage.get(spec.id, StorageFacts())
        told = state.reading if state.quality is Quality.GOOD else None
        capacity_wh = (told.capacity_wh if told is not None else None) or known.capacity_wh
        if capacity_wh:
            cells[spec.id] = Cell(
                capacity_wh=capacity_wh,
                least_wh=facts.reserve_soc * capacity_wh,
                charge_w=max(0.0, spec.max_w),
                discharge_w=max(0.0, -spec.min_w),
                charge_efficiency=known.charge_efficiency,
                discharge_efficiency=known.discharge_efficiency,
            )
        elif spec.id in before.cells:
            cells[spec.id] = before.cells[spec.id]
    return Plant(cells, loads, batteries)
