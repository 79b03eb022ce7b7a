"""What one decision sees of the phases: what flows on each, and who can do something about it.

Joins what was observed with the rules of `hems.cem.phases`, at the three points of a decision where
they count: before loads are granted power, before batteries are driven, before the sun is held
back. Where the meter does not tell the phases apart, nothing here restricts anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from der.model import Control, DeviceState, Phase, Quality
from hems.cem import storage
from hems.cem.absent import Absent
from hems.cem.arbiter import Decision
from hems.cem.generation import GenerationPlan
from hems.cem.loads import Grant
from hems.cem.observe import Observed, Usable
from hems.cem.others import Hold
from hems.cem.outlook import Outlook, on_phases
from hems.cem.phases import Drawing, Lines, Parts, limits, narrowed, total
from hems.cem.policy import AllocatorPolicy
from hems.cem.storage import StoragePlan
from hems.image import Image


@dataclass(frozen=True, slots=True)
class Scene:
    """What is decided on.

    Attributes:
        image: What the devices said.
        decision: What the arbiter decided.
        seen: What the image tells.
        outlook: How far that may rise.
        away: What devices that cannot be counted on may do.
        theirs: Storage and generation of others, which run by themselves.
        policy: The allocator's figures.
    """

    image: Image
    decision: Decision
    seen: Observed
    outlook: Outlook
    away: Absent
    theirs: Sequence[Usable]
    policy: AllocatorPolicy

    def lines(self, batteries: Sequence[Usable]) -> Lines:
        """Return what the phases' limits leave to flexible loads."""
        rises = {p: (r.fast_w, r.slow_w - r.fast_w) for p, r in self.outlook.on.items()}
        absent = [s for s in self.image.devices.values() if s.quality is not Quality.GOOD]
        able = [self._battery(b) for b in batteries]
        return limits(
            self.decision,
            self._fixed(sun=True),
            rises,
            able,
            away=self.away,
            absent=absent,
            policy=self.policy,
        )

    def batteries(
        self, room: Lines, batteries: Sequence[Usable], grants: Mapping[str, Grant]
    ) -> Decision:
        """Return the decision with what the phases' limits leave to the batteries."""
        if not room.lines:
            return self.decision
        fixed = self._fixed(sun=True)
        low, high = (total(self._loads(grants), room.home, high=h) for h in (False, True))
        most = {p: w + high[p] + room.lines[p].rise_w for p, w in fixed.items() if p in room.lines}
        able = [self._battery(b) for b in batteries]
        return narrowed(
            self.decision, room, able, low=_sum(fixed, low), high=most, policy=self.policy
        )

    def inverters(
        self,
        room: Lines,
        inverters: Sequence[Usable],
        grants: Mapping[str, Grant],
        stored: StoragePlan,
    ) -> Decision:
        """Return the decision with what the phases' limits leave to the sun."""
        if not room.lines:
            return self.decision
        loads = total(self._loads(grants), room.home, high=False)
        charge = total(self._stored(stored), room.home, high=False)
        low = _sum(self._fixed(sun=False), loads, charge)
        able = [
            Drawing(u.state, min(u.state.spec.min_w, 0.0), 0.0, u.memory.target_w)
            for u in inverters
        ]
        return narrowed(self.decision, room, able, low=low, high=low, policy=self.policy)

    def predicted(
        self,
        grants: Mapping[str, Grant],
        stored: StoragePlan,
        made: GenerationPlan,
        holds: Mapping[str, Hold],
    ) -> Parts:
        """Return the power in W on each phase once all have obeyed; empty if not measured."""
        home = tuple(self.seen.base_on)
        sun: list[Drawing] = []
        for inverter in self.seen.with_control(Control.FLOOR):
            if inverter.id not in made.floors:
                continue
            floor_w, power_w = made.floors[inverter.id], inverter.reading.power_w
            power_w = power_w if floor_w is None else max(power_w, floor_w)
            sun.append(Drawing(inverter.state, power_w, power_w))
        moved = [
            Drawing(u.state, w, w)
            for u in self.theirs
            for w in [holds[u.id].power_w if u.id in holds else u.reading.power_w]
        ]
        every = (*self._loads(grants), *self._stored(stored), *sun, *moved)
        return _sum(self.seen.base_on, total(every, home, high=False))

    def _fixed(self, *, sun: bool) -> Mapping[Phase, float]:
        """Return what flows on each phase beside flexible loads and batteries, W."""
        home = tuple(self.seen.base_on)
        own = self._drawing([u for u in self.theirs if u.state.spec.control is Control.TARGET])
        if sun:
            return _sum(on_phases(self.seen), total(own, home, high=False))
        others = self._drawing(self.theirs)
        return _sum(self.seen.base_on, total(others, home, high=False))

    def _drawing(self, devices: Sequence[Usable]) -> Sequence[Drawing]:
        return [Drawing(u.state, u.reading.power_w, u.reading.power_w) for u in devices]

    def _loads(self, grants: Mapping[str, Grant]) -> Sequence[Drawing]:
        loads = self.seen.with_control(Control.CEILING, Control.SWITCH)
        return [Drawing(u.state, grants[u.id].low_w, grants[u.id].high_w) for u in loads]

    def _stored(self, stored: StoragePlan) -> Sequence[Drawing]:
        states: Mapping[str, DeviceState] = self.image.devices
        return [Drawing(states[name], w, w) for name, w in stored.targets.items()]

    def _battery(self, battery: Usable) -> Drawing:
        able = storage.capability(battery, self.policy)
        return Drawing(battery.state, able.lower_w, able.upper_w, battery.memory.target_w)


def _sum(*powers: Parts) -> Mapping[Phase, float]:
    """Return the sum by phase, of the phases that the first one has."""
    return {phase: sum(p.get(phase, 0.0) for p in powers) for phase in powers[0]}
