"""Heat: a hot-water tank and a heated room, each kept warm by a thermostat with hysteresis."""

from dataclasses import dataclass

from der.sim.physics.dataset import HOUR_S

DRAW_W = (
    *(0.0,) * 6,
    *(1200.0, 1400.0, 500.0),  # 06 to 09: showers, breakfast
    *(0.0, 0.0, 0.0, 300.0, 300.0, 0.0, 0.0, 0.0),
    *(200.0, 500.0, 900.0, 700.0, 300.0),  # 17 to 22: cooking, washing up, baths
    *(0.0, 0.0),
)
"""Mean heat drawn as hot water in each hour of the day, W; 6.3 kWh a day."""


@dataclass(slots=True)
class Thermostat:
    """Calls for heat below `on_c` until `off_c` is reached.

    Attributes:
        on_c: Begins to call at or below this.
        off_c: Stops calling at or above this.
        calling: Whether it calls now.
    """

    on_c: float
    off_c: float
    calling: bool = False

    def sense(self, temp_c: float) -> bool:
        """Take note of the temperature; returns whether heat is called for."""
        if temp_c <= self.on_c:
            self.calling = True
        elif temp_c >= self.off_c:
            self.calling = False
        return self.calling


@dataclass(slots=True)
class WaterHeater:
    """A 200 l tank, mixed, with an immersion heater.

    Attributes:
        temp_c: Water temperature.
        thermostat: Its control.
        rated_w: Power of the heating element, W.
        heat_wh_per_k: Heat that warms the water by 1 K.
        loss_w_per_k: Heat lost for each K above the cellar.
        cellar_c: Temperature around the tank.
    """

    temp_c: float
    thermostat: Thermostat
    rated_w: float = 3000.0
    heat_wh_per_k: float = 232.6
    loss_w_per_k: float = 2.0
    cellar_c: float = 18.0

    def heat(self, permitted: bool, time_s: float, hours: float) -> float:
        """Run for a while; returns the power drawn in W."""
        calling = self.thermostat.sense(self.temp_c)
        power_w = self.rated_w if calling and permitted else 0.0
        drawn_w = DRAW_W[int(time_s // HOUR_S) % 24] if self.temp_c > self.cellar_c else 0.0
        loss_w = self.loss_w_per_k * (self.temp_c - self.cellar_c)
        self.temp_c += (power_w - loss_w - drawn_w) * hours / self.heat_wh_per_k
        return power_w


@dataclass(slots=True)
class HeatedRoom:
    """A house seen as one warm mass, with a single-speed heat pump.

    Attributes:
        temp_c: Room temperature.
        thermostat: Its control.
        rated_w: Electric power of the heat pump, W.
        cop: Heat delivered for each W of electric power.
        heat_wh_per_k: Heat that warms the house by 1 K.
        loss_w_per_k: Heat lost for each K above the outdoor temperature.
        gains_w: Heat of people and appliances.
    """

    temp_c: float
    thermostat: Thermostat
    rated_w: float = 2000.0
    cop: float = 3.2
    heat_wh_per_k: float = 4000.0
    loss_w_per_k: float = 220.0
    gains_w: float = 300.0

    def heat(self, permitted: bool, outdoor_c: float, hours: float) -> float:
        """Run for a while; returns the electric power drawn in W."""
        calling = self.thermostat.sense(self.temp_c)
        power_w = self.rated_w if calling and permitted else 0.0
        loss_w = self.loss_w_per_k * (self.temp_c - outdoor_c)
        self.temp_c += (power_w * self.cop + self.gains_w - loss_w) * hours / self.heat_wh_per_k
        return power_w
