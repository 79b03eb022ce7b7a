"""What is kept while a scenario is played: the true courses, and what the hub says."""

from collections.abc import Sequence

from der.sim.physics.house import Snapshot
from hems.home import Home
from hems.scenarios.amounts import Course
from hems.scenarios.premises import Premises
from hems.scenarios.record import EXPORT_LIMIT, IMPORT_LIMIT, Played, Shown
from programs.signal import Signal, SignalKind

_LIMITS = {SignalKind.IMPORT_LIMIT: IMPORT_LIMIT, SignalKind.EXPORT_LIMIT: EXPORT_LIMIT}


class Observing:
    """Writes down what happens.

    Args:
        played: Where.
        premises: The home.
    """

    def __init__(self, played: Played, premises: Premises) -> None:
        self._played = played
        self._premises = premises
        self._said: dict[str, dict[str, float]] = {}
        self._price = float("nan")

    def note(self, at: float, home: Home | None) -> None:
        """Add the home as it is now, UTC epoch seconds; None while the hub is not there."""
        values = self._courses(self._premises.now)
        values[Course.PRICE] = self._price
        if home is not None:
            values |= asked(home.grid.present, at)
        self._played.courses.add(at, values)

    def listen(self, at: float, home: Home) -> None:
        """Take in what the hub tells its owner now."""
        view = home.front.snapshot()
        self._price = view.price.per_kwh if view.price is not None else float("nan")
        for text in view.alarms:
            before = self._said.get(text)
            if before is None:
                self._said[text] = before = {"begins": at}
            before["ends"] = at
        names = {told.mrid: told for told in self._played.events.values()}
        for event in view.events:
            told = names.get(event.id)
            if told is None:
                continue
            state = "left" if event.opted_out else event.state
            if told.state_at(at) != (state, event.note):
                told.states.append((at, state, event.note))

    def close(self) -> None:
        """Hand over what the owner was told."""
        self._played.shown = [
            Shown(text, span["begins"], span["ends"]) for text, span in self._said.items()
        ]

    def _courses(self, home: Snapshot) -> dict[str, float]:
        net_w = home.meter.power_w
        parts_w: dict[str, float] = {
            Course.BASE: home.base.power_w,
            Course.PV: home.pv.power_w,
            Course.BATTERY: home.battery.power_w,
            Course.CAR: home.ev.power_w,
            Course.WATER_HEATER: home.water_heater.power_w,
            Course.HEAT_PUMP: home.heat_pump.power_w,
        }
        return {
            **parts_w,
            Course.NET: net_w,
            Course.IMPORT: max(net_w, 0.0),
            Course.EXPORT: max(-net_w, 0.0),
            Course.LOADS: sum(max(power_w, 0.0) for power_w in parts_w.values()),
            Course.GENERATION: -sum(min(power_w, 0.0) for power_w in parts_w.values()),
            Course.SUN: home.pv_offered_w,
            Course.REACTIVE: home.meter.reactive_var,
            Course.PHASE_A: self._premises.on_phase_w("A"),
            Course.PHASE_B: self._premises.on_phase_w("B"),
            Course.PHASE_C: self._premises.on_phase_w("C"),
            Course.CHARGE: home.soc,
            Course.CAR_CHARGE: home.ev_soc,
            Course.TANK: home.tank_temp_c,
            Course.ROOM: home.room_temp_c,
            Course.VOLTAGE: home.voltage_v,
            Course.FREQUENCY: home.frequency_hz,
        }


def asked(present: Sequence[Signal], at: float) -> dict[str, float]:
    """Return the strictest limits of net power that are in force, W."""
    found: dict[str, float] = {}
    for signal in present:
        name = _LIMITS.get(signal.kind)
        if name is not None and signal.in_force(at):
            found[name] = min(signal.value, found.get(name, signal.value))
    return found
