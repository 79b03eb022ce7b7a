"""What the regulating part of the home is told about itself; plain, made from the configuration."""

from dataclasses import dataclass

from der.addresses import BrokerSettings
from programs.arming import Agreed
from programs.frequency import SensePolicy


@dataclass(frozen=True, slots=True)
class Source:
    """Where the aggregator's signal comes from.

    Attributes:
        broker: Its MQTT broker.
        topic: The topic of this home's signal.
        fresh_s: A message whose own time is further off than this is refused.
    """

    broker: BrokerSettings
    topic: str
    fresh_s: float = 5.0


@dataclass(frozen=True, slots=True)
class RegulationSettings:
    """What the owner agreed to, and how it is done.

    Attributes:
        agreed: What moves the battery.
        capacity_w: Greatest swing either way, W.
        measured_by: Device that measures the frequency; empty for the battery itself.
        nominal_hz: The grid's frequency.
        source: Where a signal comes from; None for none.
        stale_s: A signal not renewed for this long has stopped.
        fade_s: Time in which it then fades out.
        slew_w_s: Fastest change of the swing, W/s; None for as fast as the battery will.
        period_s: Time from one measurement of the frequency to the next.
        soc: Charge, 0 to 1, to which the battery is brought back while it follows a signal.
    """

    agreed: Agreed
    capacity_w: float
    measured_by: str = ""
    nominal_hz: float = 50.0
    source: Source | None = None
    stale_s: float = 10.0
    fade_s: float = 10.0
    slew_w_s: float | None = None
    period_s: float = 0.1
    soc: float = 0.5

    @property
    def sense(self) -> SensePolicy:
        """Which frequency is believed."""
        return SensePolicy(nominal_hz=self.nominal_hz)
