"""What the planner is given: the home for the next day or two, in numbers. Plain, no I/O.

Powers in W, passive sign; energies in Wh, money in the tariff's currency. A tuple "by slot" has
one value for each of `Problem.slots`.
"""

from dataclasses import dataclass, field

from hems.cem.slots import Slots

BySlot = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """What energy costs.

    Attributes:
        import_per_kwh: By slot, may be negative.
        export_per_kwh: By slot, what is paid for a kWh given; negative where giving costs.
        carbon_kg_per_kwh: Of the grid's energy, by slot; empty where nobody knows.
        carbon_price_per_kg: What the owner reckons a kg at, beside what it costs; 0 for nothing.
        saved_per_kwh: Paid for each kWh that is not taken, by slot, beside what it costs; never
            negative, empty for nothing.
        peak_per_kw: Capacity charge on the highest mean import of a slot; 0 where there is none.
        peak_so_far_w: That peak, in the billing period, before the plan begins.
    """

    import_per_kwh: BySlot
    export_per_kwh: BySlot
    carbon_kg_per_kwh: BySlot = ()
    carbon_price_per_kg: float = 0.0
    saved_per_kwh: BySlot = ()
    peak_per_kw: float = 0.0
    peak_so_far_w: float = 0.0

    @property
    def reckoned(self) -> BySlot:
        """What a kWh taken is reckoned at, by slot: what it costs, or keeps from being paid."""
        row = self.import_per_kwh
        if self.carbon_kg_per_kwh:
            tons = zip(row, self.carbon_kg_per_kwh, strict=True)
            row = tuple(cost + kg * self.carbon_price_per_kg for cost, kg in tons)
        if self.saved_per_kwh:
            pairs = zip(row, self.saved_per_kwh, strict=True)
            row = tuple(cost + saved for cost, saved in pairs)
        return row


@dataclass(frozen=True, slots=True)
class Limits:
    """What the connection point must keep to: the stricter of breaker and utility.

    Attributes:
        import_w: Most import by slot, not negative; infinite where free.
        export_w: Most export by slot, not negative (a magnitude); infinite where free.
        by: Whose limit binds, by slot, for the owner's sentences ("import limit"); may be empty.
    """

    import_w: BySlot
    export_w: BySlot
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery.

    Attributes:
        id: Device id.
        energy_wh: What is in it now.
        least_wh: The reserve that plans leave in it.
        most_wh: What it holds when full.
        charge_w: Greatest charging power, positive.
        discharge_w: Greatest discharging power, positive.
        charge_efficiency: Share of what it draws that is stored, 0 to 1.
        discharge_efficiency: Share of what it gives up that comes out, 0 to 1.
        wear_per_kwh: Cost of one kWh through it (drawn out).
        committed_wh: By slot, energy beside the reserve that a committed reserve holds back;
            empty for none.
    """

    id: str
    energy_wh: float
    least_wh: float
    most_wh: float
    charge_w: float
    discharge_w: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    wear_per_kwh: float = 0.0
    committed_wh: BySlot = ()


@dataclass(frozen=True, slots=True)
class Deadline:
    """Energy that has to be in a car by a time.

    Attributes:
        at: UTC epoch seconds.
        energy_wh: From now on, as drawn at the charger.
    """

    at: float
    energy_wh: float


@dataclass(frozen=True, slots=True)
class Car:
    """A car at a charger: 0, or between its least and greatest power, while it is there.

    Attributes:
        id: Device id of the charger.
        least_w: Least power at which it charges at all (6 A).
        most_w: Greatest power.
        present: By slot, share of the slot for which it is plugged in, 0 to 1.
        deadlines: What it needs, by when; soft, at `shortfall_per_kwh`.
        room_wh: What it can take from now on in all, as drawn.
        surplus_only: Whether it may only take what the sun leaves over.
        shortfall_per_kwh: What a missing kWh at a deadline is reckoned at.
        worth_per_kwh: What a kWh beyond the deadlines is worth to its owner.
        later_per_kwh_hour: What a kWh is reckoned at for each hour that it comes later: of equal
            prices the sooner is taken, without breaks.
    """

    id: str
    least_w: float
    most_w: float
    present: BySlot
    deadlines: tuple[Deadline, ...] = ()
    room_wh: float = 0.0
    surplus_only: bool = False
    shortfall_per_kwh: float = 2.0
    worth_per_kwh: float = 0.0
    later_per_kwh_hour: float = 0.0


@dataclass(frozen=True, slots=True)
class Appliance:
    """A run that once begun goes on to its end: a dishwasher, a washing machine.

    Attributes:
        id: Device id.
        profile_w: What it draws, by slot from its start.
        earliest: When it may start, UTC epoch seconds.
        ready_by: When it has to be done; late is given up only where nothing else helps.
        late_per_hour: What an hour of delay is reckoned at.
    """

    id: str
    profile_w: BySlot
    earliest: float
    ready_by: float
    late_per_hour: float = 2.0


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat pump or heater with something warm behind it: a tank, a house.

    Per slot: stored heat changes by what is made, less the losses and what is drawn.

    Attributes:
        id: Device id.
        power_w: Electric power when on.
        gain: Heat made for one unit of electricity, by slot (COP); negative for cooling.
        temp_c: Temperature now.
        wh_per_k: Heat capacity.
        loss_w_per_k: Loss for each K above its surroundings.
        ambient_c: Temperature of its surroundings, by slot.
        draw_w: Heat drawn from it, by slot (hot water).
        low_c: Comfort bound, by slot; soft, at `discomfort_per_k_hour`.
        high_c: Comfort bound, by slot; soft likewise.
        least_on_s: Once on it stays on this long.
        least_off_s: Once off it stays off this long.
        on_for_s: How long it has been on; negative for how long off.
        modulates: Whether it may run at any power up to `power_w` instead of on and off.
        discomfort_per_k_hour: What one K beyond a bound for an hour is reckoned at.
    """

    id: str
    power_w: float
    gain: BySlot
    temp_c: float
    wh_per_k: float
    loss_w_per_k: float
    ambient_c: BySlot
    draw_w: BySlot
    low_c: BySlot
    high_c: BySlot
    least_on_s: float = 0.0
    least_off_s: float = 0.0
    on_for_s: float = -86400.0
    modulates: bool = False
    discomfort_per_k_hour: float = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way the next day may go.

    Attributes:
        weight: Its probability; those of a problem add up to 1.
        load_w: What cannot be controlled draws, by slot, never negative.
        sun_w: What PV could give, by slot, never positive (passive sign).
    """

    weight: float
    load_w: BySlot
    sun_w: BySlot


@dataclass(frozen=True, slots=True)
class Problem:
    """All of it.

    Attributes:
        slots: The steps of time.
        prices: What energy costs.
        limits: What the connection point keeps to.
        scenarios: How load and sun may go; the first is the median and always there.
        batteries: All that can be controlled.
        cars: The same.
        appliances: Runs not begun yet.
        heats: The same.
        curtailable: Whether PV can be held back.
        charging_w: By slot, what cars draw that are charged at once, never negative; it is part
            of the load of each scenario. Empty for nothing.
        car_from_storage: Whether batteries may feed cars. If not, what cars take is the sun's
            surplus or bought, except where the import limit leaves too little for them.
        end_value_per_kwh: What a kWh in a battery is worth when the plan ends; None for the
            planner to find out from the prices.
        keep: What the plan before this one had each device do, by id, in W by slot (NaN where it
            said nothing): changing it without gain costs `change_per_kwh`.
        change_per_kwh: The price of not fluttering.
    """

    slots: Slots
    prices: Prices
    limits: Limits
    scenarios: tuple[Scenario, ...]
    batteries: tuple[Battery, ...] = ()
    cars: tuple[Car, ...] = ()
    appliances: tuple[Appliance, ...] = ()
    heats: tuple[Heat, ...] = ()
    curtailable: bool = True
    charging_w: BySlot = ()
    car_from_storage: bool = False
    end_value_per_kwh: float | None = None
    keep: dict[str, BySlot] = field(default_factory=dict)
    change_per_kwh: float = 0.002
