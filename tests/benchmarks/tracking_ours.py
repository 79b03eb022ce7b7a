"""The product's own decisions on the benchmark's home: programmes, arbiter, allocator, each second.

What is written reaches the devices a tenth of a second after the decision, and is confirmed then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from der.model import Setpoint
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.memory import Memory
from hems.cem.orders import Order
from hems.cem.policy import AllocatorPolicy
from programs.inputs import Inputs
from programs.registry import Policies, propose_all
from programs.signal import Signal
from tests.benchmarks.tracking_home import BATTERY, CAR, PV, STEPS_PER_S, Home


@dataclass(slots=True)
class Ours:
    """The controller.

    Attributes:
        policies: The programmes'.
        signals: What the utility asks.
        policy: The allocator's figures.
        memory: The past.
    """

    policies: Policies = field(default_factory=Policies)
    signals: Sequence[Signal] = ()
    policy: AllocatorPolicy = field(default_factory=AllocatorPolicy)
    memory: Memory = field(default_factory=Memory)
    _due: dict[str, Order] = field(default_factory=dict)

    def act(self, home: Home) -> None:
        """Decide once a second, and write a step later."""
        phase = home.step % STEPS_PER_S
        if phase == 0:
            self._decide(home)
        elif phase == 1:
            self._write(home)

    def _decide(self, home: Home) -> None:
        image, now = home.image(), home.at
        devices = {
            name: replace(state, setpoint=self.memory.setpoint(name, now))
            for name, state in image.devices.items()
        }
        inputs = Inputs(self.signals, devices, image.net_w, now)
        decision = arbitrate(propose_all(inputs, self.policies), now)
        made = allocate(image, decision, now, self.memory, self.policy)
        self.memory = made.memory
        self._due = {name: order for name, order in made.orders.items() if order.write}

    def _write(self, home: Home) -> None:
        free = {PV.id: PV.min_w, BATTERY.id: 0.0, CAR.id: CAR.max_w}
        for name, order in self._due.items():
            home.tell({name: _power(order.setpoint, free[name])})
            self.memory = self.memory.confirmed(name, order.setpoint, home.at)
        self._due = {}


def _power(setpoint: Setpoint | None, free_w: float) -> float:
    return free_w if setpoint is None else setpoint.power_w
