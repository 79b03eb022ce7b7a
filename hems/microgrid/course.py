"""From the grid to an island and back: a pure state machine, one step for each image.

It holds three things whatever is measured or lost. It orders the inverter to form only while the
tie says that it is open. It asks the tie to close only onto a grid that is good, and either in
step with it or with a home that is dark. Without the utility's permit it neither opens the tie nor
forms. What it does not know it waits for; the hardware's own protection needs no hub.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from der.sentence import Quantity, say
from hems.microgrid.limits import Limits
from hems.microgrid.seen import Seen, Wanted
from hems.microgrid.states import Act, Order, Phase, State, Step

SLIP_HZ: Final = 0.05
"""How much faster or slower than the grid the home runs while it comes into step, at most."""
_GAIN: Final = 0.7
"""Share of a difference of frequency that one step makes good: what is measured is a second old."""
_TURN_S: Final = 10.0
"""Time in which a difference of phase is worked off."""
_TRIM_HZ: Final = 0.3
"""How far the reference is moved to make up for the droop."""
_TRIM_STEP_HZ: Final = 0.02
_TRIM_BAND_HZ: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Scene:
    """What one step is decided on."""

    state: State
    seen: Seen
    wanted: Wanted
    limits: Limits
    now: float

    def to(self, phase: Phase, why: str, order: Order | None = None) -> Step:
        """Return the step into another phase."""
        return Step(replace(self.state, phase=phase, since=self.now, why=why), order)

    def stay(self, order: Order | None = None, state: State | None = None) -> Step:
        """Return the step that stays in this phase."""
        return Step(self.state if state is None else state, order)

    @property
    def lasted_s(self) -> float:
        """Time in this phase."""
        return self.now - self.state.since

    @property
    def bad(self) -> bool:
        """Whether the grid has been abnormal for long enough."""
        since, limits = self.state.bad_since, self.limits
        if since is None:
            return False
        dead = self.seen.grid.dead(limits)
        return self.now - since >= (limits.dead_s if dead else limits.detect_s)

    @property
    def good(self) -> bool:
        """Whether the grid is as a home may go back to it, and has been for long enough."""
        since = self.state.good_since
        return since is not None and self.now - since >= self.limits.delay_s

    @property
    def form(self) -> Order:
        """The order to form."""
        return Order(Act.FORM, self.state.hz, self.limits.nominal_v)


def step(state: State, seen: Seen, wanted: Wanted, limits: Limits, now: float) -> Step:
    """Return where the home is after a look at it, and what has to be told.

    Args:
        state: Where it was.
        seen: What is measured now.
        wanted: What is permitted and asked.
        limits: The figures.
        now: Seconds of a clock that never steps.
    """
    scene = _Scene(_watched(state, seen, limits, now), seen, wanted, limits, now)
    if seen.forming and seen.closed is False and not wanted.may_island:
        why = say("The inverter forms an island, which the utility does not permit")
        return scene.to(Phase.DARK, why, Order(Act.FOLLOW))
    return _PHASES[scene.state.phase](scene)


def _watched(state: State, seen: Seen, limits: Limits, now: float) -> State:
    """Return the state with what the grid has been like lately."""
    hertz, doubt = seen.grid.frequency_hz, ""
    bad = seen.grid.abnormal(limits)
    if hertz and state.last is not None and now > state.last[0] and state.last[1]:
        bad = bad or abs(hertz - state.last[1]) / (now - state.last[0]) > limits.rocof
    if seen.contradicted(limits):
        bad = False
        doubt = say(
            "The tie says that the grid is out of bounds, and the home's other devices, on the "
            "same wire, say that it is well: the home stays connected"
        )
    if seen.closed and seen.grid.good(limits) and seen.all_dead(limits):
        doubt = say(
            "The home has no voltage although its tie says that it is closed on a grid that is "
            "well: look at the main breaker"
        )
    good = seen.grid.good(limits) and not bad
    soft = seen.tie_w is not None and abs(seen.tie_w) <= limits.soft_w
    return replace(
        state,
        bad_since=(now if state.bad_since is None else state.bad_since) if bad else None,
        good_since=(now if state.good_since is None else state.good_since) if good else None,
        soft_since=(now if state.soft_since is None else state.soft_since) if soft else None,
        last=None if hertz is None else (now, hertz),
        doubt=doubt,
    )


def _grid(scene: _Scene) -> Step:
    seen, wanted = scene.seen, scene.wanted
    if seen.closed is None:
        return scene.stay()
    if seen.closed is False:
        if seen.forming:
            return scene.to(Phase.ISLAND, say("The hardware has parted the home by itself"))
        return scene.to(Phase.SEPARATING, say("The tie is open"))
    if seen.forming:
        return scene.stay(Order(Act.FOLLOW))
    if scene.bad:
        why = _outage(scene)
        return scene.to(Phase.SEPARATING if wanted.may_island else Phase.DARK, why)
    if wanted.may_leave:
        soft = Phase.SEPARATING if wanted.at_once else Phase.SOFTENING
        return scene.to(soft, wanted.leave)
    return scene.stay()


def _softening(scene: _Scene) -> Step:
    if scene.seen.closed is False or scene.bad:
        return _grid(scene)
    if not scene.wanted.may_leave:
        return scene.to(Phase.GRID, say("Nobody asks the home to part any more"))
    soft_since = scene.state.soft_since
    calm = soft_since is not None and (
        scene.now - max(soft_since, scene.state.since) >= scene.limits.calm_s
    )
    if calm or scene.lasted_s >= scene.limits.soften_s:
        return scene.to(Phase.SEPARATING, scene.state.why, Order(Act.OPEN))
    return scene.stay()


def _separating(scene: _Scene) -> Step:
    seen, wanted = scene.seen, scene.wanted
    if seen.closed is False:
        if seen.forming:
            return scene.to(Phase.ISLAND, scene.state.why)
        phase = Phase.PREPARING if wanted.may_island else Phase.DARK
        return scene.to(phase, scene.state.why)
    if not wanted.may_island:
        return scene.to(Phase.DARK, scene.state.why)
    if seen.closed and seen.forming:
        return scene.stay(Order(Act.FOLLOW))
    if seen.closed and scene.state.bad_since is None and not wanted.may_leave:
        return scene.to(Phase.GRID, say("The grid is there again"))
    return scene.stay(Order(Act.OPEN))


def _preparing(scene: _Scene) -> Step:
    seen, limits = scene.seen, scene.limits
    away = _reclosed(scene)
    if away is not None:
        return away
    if scene.good and not scene.wanted.may_leave and not scene.wanted.stay:
        return scene.to(Phase.REJOINING, say("The grid is back"))
    if not scene.wanted.may_island:
        return scene.to(Phase.DARK, say("The utility does not permit an island"))
    if not seen.may_start(limits):
        return scene.to(Phase.DARK, _too_empty(scene))
    if seen.bus.live(limits):
        return scene.stay()  # somebody else supplies the home, or says so: nothing goes beside it
    ready = seen.loads_off or scene.lasted_s >= limits.prepare_s
    if not ready or seen.closed is not False or seen.forming is None:
        return scene.stay()
    scene = replace(scene, state=replace(scene.state, hz=limits.nominal_hz))
    return scene.to(Phase.FORMING, scene.state.why, scene.form)


def _forming(scene: _Scene) -> Step:
    seen, limits = scene.seen, scene.limits
    away = _reclosed(scene)
    if away is not None:
        return away
    if seen.forming and seen.bus.live(limits) and scene.lasted_s >= limits.settle_s:
        return scene.to(Phase.ISLAND, scene.state.why)
    if scene.lasted_s >= limits.form_s or (seen.gave_up and scene.lasted_s >= limits.settle_s):
        return _failed(scene, say("The inverter could not form the home's voltage"))
    if seen.closed is not False or not scene.wanted.may_island:
        return scene.stay()
    return scene.stay(None if seen.forming else scene.form)


def _island(scene: _Scene) -> Step:
    seen, limits, state = scene.seen, scene.limits, scene.state
    if seen.closed:
        return _joined(scene)
    if seen.forming is False:
        return _failed(scene, _collapse(scene))
    if scene.good and not scene.wanted.may_leave and not scene.wanted.stay:
        return scene.to(Phase.SYNCHRONISING, say("The grid is back"))
    if state.tries and scene.lasted_s >= limits.longest_rest_s:
        return scene.stay(state=replace(state, tries=0))
    hertz = seen.bus.frequency_hz
    if seen.closed is not False or not seen.forming or not hertz:
        return scene.stay()
    # What lies above the nominal is how the inverter tells the sun to give less: it is let be.
    trim = state.hz - limits.nominal_hz
    if hertz < limits.nominal_hz - _TRIM_BAND_HZ and trim < _TRIM_HZ:
        trim = min(trim + _TRIM_STEP_HZ, _TRIM_HZ)
    elif hertz > limits.nominal_hz + _TRIM_BAND_HZ and trim > 0:
        trim = max(trim - _TRIM_STEP_HZ, 0.0)
    hz = limits.nominal_hz + trim
    if hz == state.hz:
        return scene.stay()
    return scene.stay(Order(Act.FORM, hz, limits.nominal_v), replace(state, hz=hz))


def _synchronising(scene: _Scene) -> Step:
    seen, limits, state = scene.seen, scene.limits, scene.state
    if seen.closed:
        return _joined(scene)
    if seen.forming is False:
        return _failed(scene, _collapse(scene))
    if state.good_since is None or scene.wanted.may_leave or scene.wanted.stay:
        return scene.to(Phase.ISLAND, say("The grid is not there to go back to"))
    if scene.lasted_s >= limits.sync_s:
        again = replace(scene, state=replace(state, good_since=scene.now))
        return again.to(
            Phase.ISLAND, say("The home did not come into step; it is tried again later")
        )
    if seen.closed is not False or not seen.forming:
        return scene.stay()
    if seen.in_step(limits):
        return scene.stay(Order(Act.CLOSE))
    street, home = seen.grid.frequency_hz, seen.bus.frequency_hz
    if not street or not home or seen.angle_deg is None or seen.grid.voltage_v is None:
        return scene.stay()
    slip = min(max(-seen.angle_deg / 360 / _TURN_S, -SLIP_HZ), SLIP_HZ)
    moved = state.hz + _GAIN * (street + slip - home)
    hz = min(max(moved, limits.nominal_hz - 1.0), limits.nominal_hz + 1.0)
    return scene.stay(Order(Act.FORM, hz, seen.grid.voltage_v), replace(state, hz=hz))


def _rejoining(scene: _Scene) -> Step:
    seen = scene.seen
    if seen.closed:
        return scene.to(Phase.RETURNING, say("The grid is back"))
    if scene.state.good_since is None:
        return scene.to(Phase.DARK, say("The grid is gone again"))
    if seen.forming:
        return scene.to(Phase.ISLAND, say("The inverter forms the home's voltage"))
    dark = seen.closed is False and seen.forming is False and not seen.bus.live(scene.limits)
    return scene.stay(Order(Act.CLOSE) if dark else None)


def _returning(scene: _Scene) -> Step:
    seen = scene.seen
    if seen.closed is False or scene.bad:
        return _grid(scene)
    if seen.forming:
        return scene.stay(Order(Act.FOLLOW) if seen.closed else None)
    if scene.lasted_s >= scene.limits.ramp_s:
        return scene.to(Phase.GRID, "")
    return scene.stay(state=replace(scene.state, tries=0))


def _dark(scene: _Scene) -> Step:
    seen, wanted = scene.seen, scene.wanted
    if seen.closed:
        if scene.state.good_since is not None:
            return scene.to(Phase.RETURNING, say("The grid is back"))
        if seen.forming:
            return scene.stay(Order(Act.FOLLOW))
        return scene.to(Phase.SEPARATING, _outage(scene)) if _may_part(scene) else scene.stay()
    if seen.closed is None:
        return scene.stay()
    if seen.forming:
        return scene.to(Phase.ISLAND, scene.state.why)
    if scene.good and not wanted.may_leave and not wanted.stay:
        return scene.to(Phase.REJOINING, say("The grid is back"))
    if not wanted.may_island or scene.now < scene.state.rest_until:
        return scene.stay()
    if not seen.may_start(scene.limits):
        return scene.stay(state=replace(scene.state, why=_too_empty(scene)))
    return scene.to(Phase.PREPARING, scene.state.why)


def _may_part(scene: _Scene) -> bool:
    return scene.bad and scene.wanted.may_island


def _reclosed(scene: _Scene) -> Step | None:
    """Return the step of a home whose tie closed while it was to be an island."""
    seen = scene.seen
    if seen.closed is None:
        return scene.stay()
    if seen.closed is False:
        return None
    return _joined(scene) if scene.state.bad_since is None else _separating(scene)


def _joined(scene: _Scene) -> Step:
    order = Order(Act.FOLLOW) if scene.seen.forming else None
    return scene.to(Phase.RETURNING, say("The grid is back"), order)


def _failed(scene: _Scene, why: str) -> Step:
    """Return the step into the dark after an attempt, or an island, that came to nothing."""
    tries = scene.state.tries + 1
    pause_s = min(scene.limits.rest_s * 2 ** min(tries - 1, 10), scene.limits.longest_rest_s)
    state = replace(scene.state, tries=tries, rest_until=scene.now + pause_s)
    order = Order(Act.FOLLOW) if scene.seen.forming else None
    return replace(scene, state=state).to(Phase.DARK, why, order)


def _outage(scene: _Scene) -> str:
    grid = scene.seen.grid
    if grid.dead(scene.limits):
        return say("The grid has no voltage")
    volts: str = say("unknown")
    if grid.voltage_v is not None:
        volts = Quantity(f"{grid.voltage_v:.0f}", "V")
    hertz: str = say("unknown")
    if grid.frequency_hz is not None:
        hertz = Quantity(f"{grid.frequency_hz:.2f}", "Hz")
    return say("The grid is out of bounds: {volts}, {hertz}", volts=volts, hertz=hertz)


def _collapse(scene: _Scene) -> str:
    soc = scene.seen.soc
    if soc is not None and soc < scene.limits.dawn_soc:
        return say("The battery is empty")
    return say("The inverter gave up: more was asked of it than it could give or take")


def _too_empty(scene: _Scene) -> str:
    soc, limits = scene.seen.soc or 0.0, scene.limits
    return say(
        "The battery, at {soc:.0%}, has too little to start the home ({start_soc:.0%}); "
        "it waits for the sun or the grid",
        soc=soc,
        start_soc=limits.start_soc,
    )


_PHASES: Final[Mapping[Phase, Callable[[_Scene], Step]]] = {
    Phase.GRID: _grid,
    Phase.SOFTENING: _softening,
    Phase.SEPARATING: _separating,
    Phase.PREPARING: _preparing,
    Phase.FORMING: _forming,
    Phase.ISLAND: _island,
    Phase.SYNCHRONISING: _synchronising,
    Phase.REJOINING: _rejoining,
    Phase.RETURNING: _returning,
    Phase.DARK: _dark,
}
