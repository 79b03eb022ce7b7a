"""A battery that vanishes in an event is no appliance of its size."""

from dataclasses import dataclass, field, replace

import pytest

from der.model import DeviceSpec, Quality, Reading
from hems.cem.orders import Order
from hems.image import Image
from tests.hems.cem.plant import BATTERY, BREAKER, CAR, METER, T0, Loop, Plant, limit

MISSED_S = 2.0
"""For so long its last reading passes for the present one."""


@dataclass
class Leaving(Plant):
    """A home whose battery can lose its connection and its power."""

    gone_at: float | None = None
    last: dict[str, Reading] = field(default_factory=dict)

    def aim_w(self, spec: DeviceSpec) -> float:
        gone = spec.id == "battery" and self.gone_at is not None
        return 0.0 if gone else super().aim_w(spec)

    def image(self) -> Image:
        image = super().image()
        state = image.devices["battery"]
        if self.gone_at is None:
            if state.reading is not None:
                self.last["battery"] = state.reading
            return image
        heard = self.at - self.gone_at <= MISSED_S
        quality = Quality.GOOD if heard else Quality.LOST
        state = replace(state, reading=self.last["battery"], quality=quality)
        return replace(image, devices={**image.devices, "battery": state})


@dataclass
class Trying(Loop):
    """As the cycle does; what is written to a battery that is gone is not confirmed."""

    plant: Leaving

    def takes(self, device: str, order: Order) -> bool:
        return order.write and (device != "battery" or self.plant.gone_at is None)


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize("away_s", [5, 10, 40, 300])
def test_a_battery_that_was_away_is_reckoned_with_as_before(away_s: int) -> None:
    loop = Trying(Leaving((METER, BATTERY, CAR), base_w=800, wants={"car": 7_400.0}))
    event = limit(3_500, ends_at=T0 + 1e6)
    loop.run(60, BREAKER, event)
    before_w = loop.plant.power["car"]
    assert before_w > 7_000
    loop.plant.gone_at = loop.plant.at
    loop.run(away_s, BREAKER, event)
    assert loop.plant.power["battery"] == 0
    assert loop.plant.net_w <= 3_500
    loop.plant.gone_at = None
    loop.plant.told.pop("battery", None)
    loop.memory = loop.memory.doubted("battery")
    loop.run(90, BREAKER, event)
    assert loop.plant.power["car"] > before_w - 200
    assert loop.plant.net_w <= 3_500
