"""The tests' small home on three phases."""

from dataclasses import dataclass, replace

from der.model import Phase, PhaseReading
from hems.image import Image
from tests.hems.cem.plant import Plant

HOME = tuple(Phase)


@dataclass
class Phased(Plant):
    """A home whose base is on three phases, and whose meter may tell them apart.

    `on` is the base by phase; `shown` is how many phases the meter shows.
    """

    on: tuple[float, ...] = (0.0, 0.0, 0.0)
    shown: int = 3

    def __post_init__(self) -> None:
        self.base_w = sum(self.on)
        super().__post_init__()

    def flows(self) -> tuple[float, ...]:
        """Return what flows on each phase at the connection."""
        flows = list(self.on)
        for spec in self.specs:
            if spec.id == "meter":
                continue
            wired = spec.phases or HOME
            for phase in wired:
                flows[HOME.index(phase)] += self.power[spec.id] / len(wired)
        return tuple(flows)

    def image(self) -> Image:
        """Return what the devices say now, with the meter's phases."""
        image = super().image()
        meter = image.devices["meter"]
        assert meter.reading is not None
        phases = tuple(PhaseReading(w) for w in self.flows()[: self.shown])
        told = replace(meter, reading=replace(meter.reading, phases=phases))
        return replace(image, devices={**image.devices, "meter": told})

    def draw(self, *on: float) -> None:
        """Have the house draw something else."""
        self.on, self.base_w = on, sum(on)
