"""The controller that knows everything at once: what it cannot avoid, nobody can without foresight.

It decides each tenth of a second on what truly flows, and what it tells the devices is on its way
at once. It keeps the product's margin, and holds nothing back for what may come.
"""

from dataclasses import dataclass

from tests.benchmarks.tracking_home import CAR, LEAST_CAR_W, PV, Home


@dataclass(slots=True)
class Known:
    """The controller.

    Attributes:
        limit_w: The limit on each phase.
        margin_w: How far inside it it aims.
        export: Whether net power is to stay above the limit; else below.
    """

    limit_w: float
    margin_w: float
    export: bool

    def act(self, home: Home) -> None:
        """Tell the devices what the present instant demands."""
        if self.export:
            self._hold_export(home)
        else:
            self._hold_import(home)

    def _hold_export(self, home: Home) -> None:
        """Store what is left over; hold back what cannot be stored."""
        lacking_w = self.limit_w + self.margin_w - sum(home.base_w)
        stored_w = min(max(lacking_w + home.sun_w, home.may_give_w), home.may_charge_w)
        home.tell({"battery": stored_w, "pv": max(min(lacking_w - stored_w, 0.0), PV.min_w)})

    def _hold_import(self, home: Home) -> None:
        """Give the car what is left; have the battery make up for what it still takes too much."""
        phases = home.setting.phases
        base_w = [w + home.pv_w / phases for w in home.base_w]
        car_w = self.limit_w - self.margin_w - base_w[0]
        over_w = max(base_w[0] + home.car.power_w, *base_w) - (self.limit_w - self.margin_w)
        given_w = max(min(-over_w * phases, 0.0), home.may_give_w)
        allowed_w = min(car_w, CAR.max_w) if car_w >= LEAST_CAR_W else 0.0
        home.tell({"battery": given_w, "car": allowed_w})
