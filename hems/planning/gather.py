"""From the present image to the planner's question: pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Ownership, Quality
from der.sentence import say
from hems.cem.memory import Memory
from hems.cem.needs import CarNeed, HeatStore, RunRequest, StorageFacts
from hems.cem.planner.problem import Battery, BySlot
from hems.cem.planner.question import CarNow, HeatNow, Role
from hems.image import Image

_HEATERS: Final = frozenset(
    {DeviceKind.HEAT_PUMP, DeviceKind.WATER_HEATER, DeviceKind.THERMOSTAT, DeviceKind.PLUG}
)
_OF_BATTERIES: Final = (Control.TARGET,)
_OF_CARS: Final = (Control.CEILING,)
_OF_HEATERS: Final = (Control.SWITCH, Control.CEILING)
_LONG_S: Final = 86400.0
_NOTHING: Final[Mapping[str, BySlot]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What people want, as the planner takes it.

    Attributes:
        cars: Of chargers.
        runs: Of appliances.
        heats: What heaters warm.
        under_way: Runs that have begun.
    """

    cars: tuple[CarNeed, ...] = ()
    runs: tuple[RunRequest, ...] = ()
    heats: tuple[HeatStore, ...] = ()
    under_way: tuple[RunRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What does not change while the home runs.

    Attributes:
        roles: What each device is to the balance, by id.
        storage: Facts of batteries, by id.
        reserve_soc: Share of a battery that plans leave in it.
    """

    roles: Mapping[str, Role]
    storage: Mapping[str, StorageFacts] = field(default_factory=dict)
    reserve_soc: float = 0.1


@dataclass(frozen=True, slots=True)
class Now:
    """The present, as the planner needs it; see `hems.cem.planner.question.Question`.

    `unplanned` says of each device that is left out why, one clause each.
    """

    batteries: tuple[Battery, ...] = ()
    cars: tuple[CarNow, ...] = ()
    runs: tuple[RunRequest, ...] = ()
    heats: tuple[HeatNow, ...] = ()
    curtailable: bool = True
    load_w: float | None = None
    sun_w: float | None = None
    unplanned: tuple[str, ...] = field(default=())


def roles(
    specs: Iterable[DeviceSpec], heats: Iterable[HeatStore], runs: Iterable[str]
) -> Mapping[str, Role]:
    """Return what each device is to the home's balance; what is part of the load is left out.

    A charger or heater that cannot be planned is load like any other: else what it draws would
    stand in no forecast at all.

    Args:
        specs: The home's devices.
        heats: Those whose store is known.
        runs: Ids of appliances that run when asked to.
    """
    warm, asked = {heat.device for heat in heats}, set(runs)
    found: dict[str, Role] = {}
    for spec in specs:
        if spec.kind is DeviceKind.METER:
            found[spec.id] = Role.METER
        elif spec.kind is DeviceKind.PV:
            found[spec.id] = Role.SUN
        elif spec.kind is DeviceKind.BATTERY:
            found[spec.id] = Role.BATTERY
        elif spec.kind is DeviceKind.EVSE and _ours(spec, *_OF_CARS):
            found[spec.id] = Role.CAR
        elif spec.kind in _HEATERS and spec.id in warm and _ours(spec, *_OF_HEATERS):
            found[spec.id] = Role.HEAT
        elif spec.id in asked:
            found[spec.id] = Role.RUN
    return found


def gather(
    image: Image,
    memory: Memory,
    wanted: Wanted,
    known: Known,
    committed: Mapping[str, BySlot] = _NOTHING,
) -> Now:
    """Return the present as the planner needs it; devices that cannot be planned are named.

    Args:
        image: The last complete image.
        memory: What the allocator remembers: how long something has been on.
        wanted: What people want.
        known: What does not change while the home runs.
        committed: Energy in Wh that a battery is to have beside its reserve for what is promised of
            it, by its id and by slot of the plan; a battery that is not named promises nothing.
    """
    role = known.roles
    batteries: list[Battery] = []
    warm: list[HeatNow] = []
    unplanned: list[str] = []
    for state in _of(image, role, Role.BATTERY):
        if not _planned(state, *_OF_BATTERIES):
            continue
        found = _battery(state, known.storage.get(state.spec.id, StorageFacts()), known.reserve_soc)
        if found is None:
            unplanned.append(
                say("{name} does not tell its charge or capacity", name=state.spec.name)
            )
        else:
            batteries.append(replace(found, committed_wh=committed.get(found.id, ())))
    heats = {heat.device: heat for heat in wanted.heats}
    for state in _of(image, role, Role.HEAT):
        if not _planned(state, *_OF_HEATERS):
            continue
        heat = _heat(state, heats[state.spec.id], memory, image.at)
        if heat is None:
            unplanned.append(say("{name} does not tell its temperature", name=state.spec.name))
        else:
            warm.append(heat)
    needs = {need.device: need for need in wanted.cars}
    sun = list(_of(image, role, Role.SUN))
    return Now(
        tuple(batteries),
        tuple(
            _car(state, needs.get(state.spec.id))
            for state in _of(image, role, Role.CAR)
            if _planned(state, *_OF_CARS)
        ),
        tuple(run for run in wanted.runs if _there(image, run.device)),
        tuple(warm),
        curtailable=all(s.spec.control is Control.FLOOR for s in sun),
        load_w=load_w(image, role),
        # What it gives while it is held back is not what it could.
        sun_w=None if any(held_back(s) for s in sun) else sun_w(image, role),
        unplanned=tuple(unplanned),
    )


def plugs(image: Image, role: Mapping[str, Role]) -> tuple[object, ...]:
    """Return what of the devices a plan rests on, compared as a whole: who is there to be planned.

    A device that goes to sleep and wakes is there all the while; meter and sun are forecast.
    """
    return tuple(
        (s.spec.id, _reached(s), s.reading and (s.reading.connected, s.reading.wants_power))
        for s in image.devices.values()
        if role.get(s.spec.id) not in {None, Role.METER, Role.SUN}
    )


def load_w(image: Image, role: Mapping[str, Role]) -> float | None:
    """Return what is drawn beside all that has a role; None if that cannot be told."""
    if image.net_w is None:
        return None
    others_w = _sum_w([s for s in image.devices.values() if s.spec.id in role and not _meter(s)])
    return None if others_w is None else max(image.net_w - others_w, 0.0)


def sun_w(image: Image, role: Mapping[str, Role]) -> float | None:
    """Return what PV gives, never positive; None if that cannot be told."""
    given_w = _sum_w(list(_of(image, role, Role.SUN)))
    return None if given_w is None else min(given_w, 0.0)


def beside_w(image: Image, planned: Collection[str]) -> float | None:
    """Return what load and sun are together beside all that a plan moves.

    That is what a plan has foretold of both, a car that charges at once and a run under way
    included. None where it cannot be told, and while the sun is held back: a plan foretells what
    it could give.

    Args:
        image: The last complete image.
        planned: Ids of the devices in the plan.
    """
    if image.net_w is None or any(held_back(s) for s in image.devices.values()):
        return None
    moved_w = _sum_w([s for s in image.devices.values() if s.spec.id in planned])
    return None if moved_w is None else image.net_w - moved_w


def _of(image: Image, role: Mapping[str, Role], which: Role) -> Iterable[DeviceState]:
    return (s for s in image.devices.values() if role.get(s.spec.id) is which)


def held_back(state: DeviceState) -> bool:
    """Return whether an inverter is kept from giving all it could."""
    spec, told = state.spec, state.setpoint
    return spec.kind is DeviceKind.PV and told is not None and told.power_w > spec.min_w


def _meter(state: DeviceState) -> bool:
    return state.spec.kind is DeviceKind.METER


def _planned(state: DeviceState, *controls: Control) -> bool:
    """Return whether a device is ours to plan and can be reached now."""
    return _ours(state.spec, *controls) and _reached(state)


def _reached(state: DeviceState) -> bool:
    return state.reading is not None and state.quality in {Quality.GOOD, Quality.ASLEEP}


def _ours(spec: DeviceSpec, *controls: Control) -> bool:
    return spec.control in controls and spec.ownership is Ownership.OWNER


def _there(image: Image, device: str) -> bool:
    state = image.devices.get(device)
    return state is not None and _planned(state, Control.SWITCH)


def _sum_w(states: Sequence[DeviceState]) -> float | None:
    total_w = 0.0
    for state in states:
        if state.reading is None or not _reached(state):
            return None
        total_w += state.reading.power_w
    return total_w


def _battery(state: DeviceState, facts: StorageFacts, reserve_soc: float) -> Battery | None:
    spec, reading = state.spec, state.reading
    if reading is None or reading.soc is None:
        return None
    capacity_wh = reading.capacity_wh or facts.capacity_wh
    if not capacity_wh:
        return None
    return Battery(
        spec.id,
        energy_wh=reading.soc * capacity_wh,
        least_wh=reserve_soc * capacity_wh,
        most_wh=capacity_wh,
        charge_w=max(spec.max_w, 0.0),
        discharge_w=max(-spec.min_w, 0.0),
        charge_efficiency=facts.charge_efficiency,
        discharge_efficiency=facts.discharge_efficiency,
        wear_per_kwh=facts.wear_per_kwh,
    )


def _car(state: DeviceState, need: CarNeed | None) -> CarNow:
    spec, reading = state.spec, state.reading
    takes_w = None if need is None else need.power_w
    most_w = spec.max_w if takes_w is None else min(max(takes_w, spec.least_on_w), spec.max_w)
    return CarNow(
        spec.id,
        spec.least_on_w,
        most_w,
        None if reading is None else reading.connected,
        None if reading is None else reading.wants_power,
        need,
    )


def _heat(state: DeviceState, store: HeatStore, memory: Memory, now: float) -> HeatNow | None:
    spec, reading = state.spec, state.reading
    if reading is None or reading.temp_c is None:
        return None
    past = memory.devices.get(spec.id)
    on = reading.power_w > spec.max_w / 2
    for_s = _LONG_S if past is None else min(max(now - past.running_since, 0.0), _LONG_S)
    return HeatNow(
        store,
        spec.max_w,
        reading.temp_c,
        modulates=spec.control is Control.CEILING,
        least_on_s=spec.min_on_s,
        least_off_s=spec.min_off_s,
        on_for_s=for_s if on else -for_s,
    )
