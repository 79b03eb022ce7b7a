"""Keeps the home's island: watches the tie, leads the home to an island and back, remembers it.

It implements `hems.uses.use.Use`. What it decides is pure (`states`, `carry`, `look`); here is only
what has a memory or a wire: orders to tie and inverter one after the other, the record of what was
served, and what a restarted hub must know.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pydantic import ValidationError

from der.commands import Command
from der.model import DeviceSpec, DeviceState
from der.sentence import say
from der.steps import StepWatch
from hems.clock import Clock
from hems.image import Image
from hems.microgrid import look, words
from hems.microgrid.carry import Carried
from hems.microgrid.course import step
from hems.microgrid.expected import Expected
from hems.microgrid.kept import Kept
from hems.microgrid.limits import Permit
from hems.microgrid.plant import Plant
from hems.microgrid.seen import Wanted
from hems.microgrid.states import FORMED, PARTED, Phase, State
from hems.microgrid.surface import IslandView
from hems.microgrid.switchgear import Switchgear
from hems.microgrid.tally import Tally
from hems.store.errors import StoreError
from hems.surface import ImpossibleWishError
from programs.about import Standing
from programs.microgrid import ID, Island, MicrogridPolicy, Ramp, energising_order
from programs.performance import Performance
from programs.registry import Policies, apart
from programs.signal import Signal, SignalKind

_log = logging.getLogger(__name__)

KEY: Final = "microgrid"
"""Name of what is kept in the store's settings."""
_PLAN_S: Final = 60.0
"""How often the energy is planned anew, and an island's record kept."""
_SPILLS_SOC, _SPENT_SOC = 0.95, 0.85
_MARGIN_W: Final = 500.0
"""What may be taken beyond what is drawn when the grid comes back."""
_STARTING: Final = frozenset({Phase.PREPARING, Phase.FORMING, Phase.REJOINING, Phase.DARK})
_LEAVING: Final = frozenset({Phase.GRID, Phase.SOFTENING, Phase.SEPARATING})


class KeyValue(Protocol):
    """Named texts that outlive a restart."""

    async def all(self) -> Mapping[str, str]:
        """Return all by name."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Set one."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What the keeper needs of the home around it.

    Attributes:
        settings: Where it keeps what outlives a restart.
        command: Has a device carry out a command (`Cycle.command`).
        signals: What the utility asks; None while that is not known yet.
        expected: What home and sun are expected to do.
        alarm: Sets what the owner must know, by source; None when it is over.
        react: Has the home decide anew at once; must not block.
        record: Takes the record of an island that is over.
    """

    settings: KeyValue
    command: Callable[[str, Command[str]], Awaitable[str]]
    signals: Callable[[], Sequence[Signal] | None]
    expected: Expected
    alarm: Callable[[str, str | None], None]
    react: Callable[[], None]
    record: Callable[[Performance], None]


class Microgrid:
    """The island of one home; a `hems.uses.use.Use`.

    Args:
        plant: Its tie, inverter and agreements.
        specs: The home's devices.
        clock: Where the time comes from.
        ports: What it needs of the home.
    """

    def __init__(
        self, plant: Plant, specs: Sequence[DeviceSpec], clock: Clock, ports: Ports
    ) -> None:
        self._plant = plant
        self._order = energising_order(specs, plant.order)
        self._clock = clock
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._ports = ports
        self._state = State()
        self._tally: Tally | None = None
        self._carried: Carried | None = None
        self._planned_at = -_PLAN_S
        self._image: Image | None = None
        self._looked_at: float | None = None
        self._closed: bool | None = None
        self._spills = False  # whether the sun would be held back, so that no energy is to be saved
        self._started_at: float | None = None  # of a black start; None where power was never gone
        self._ramp: Ramp | None = None
        self._asked_to_leave = self._asked_to_return = False
        self._leave_since: float | None = None
        self._switchgear = Switchgear(plant, clock, ports.command, ports.alarm, ports.react)
        self._keep = asyncio.Event()

    @property
    def state(self) -> State:
        """Where the home is; its times are monotonic."""
        return self._state

    @property
    def parted(self) -> bool:
        """Whether the home is, or is about to be, without its grid: nothing is given back then."""
        return self._state.phase is not Phase.GRID

    @property
    def islanded(self) -> bool:
        """Whether the tie is known to be open, so that nothing flows at the connection point."""
        phase = self._state.phase
        return phase in PARTED or (phase in _STARTING and self._closed is False)

    async def load(self) -> None:
        """Take up an island under way; the devices' word decides what is made of it."""
        try:
            text = (await self._ports.settings.all()).get(KEY, "")
        except StoreError as error:
            _log.warning("what was known of an island is not: %s", error)
            return
        if not text:
            return
        try:
            kept = Kept.model_validate_json(text)
        except ValidationError:
            _log.warning("what was kept of an island cannot be read: %.80r", text)
            return
        self._state = State(kept.phase, self._clock.monotonic(), kept.why, tries=kept.tries)
        self._asked_to_leave = kept.asked_to_leave
        self._asked_to_return = kept.asked_to_return
        self._tally = None if kept.tally is None else kept.tally.tally()

    async def run(self) -> None:
        """Give tie and inverter their orders, and keep what must be kept, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._switchgear.run())
            tasks.create_task(self._remember())  # beside it: a slow disk must delay no switch
            tasks.create_task(self._learn())

    async def _learn(self) -> None:
        while True:
            try:
                await self._ports.expected.refresh(self._clock.now())
            except StoreError as error:
                _log.warning("what to expect of home and sun is not learnt: %s", error)
            await asyncio.sleep(look.HOUR_S)

    async def _remember(self) -> None:
        while True:
            await self._keep.wait()
            self._keep.clear()
            await self._put()

    def take_image(self, image: Image) -> None:
        """Take a look at tie, inverter and loads, and decide what comes next."""
        mono, self._image = self._clock.monotonic(), image
        self._follow_clock()
        before = self._state
        sun_w = self._ports.expected.sun_w(image.at, image.at + look.HOUR_S)
        seen = look.seen(image, self._plant, sun_w)
        self._closed = seen.closed
        if seen.soc is not None:
            self._spills = seen.soc >= (_SPENT_SOC if self._spills else _SPILLS_SOC)
        done = step(before, seen, self._wanted(), self._plant.limits, mono)
        self._state = done.state
        self._count(image, mono)
        if before.phase is not done.state.phase:
            self._entered(before.phase, image, mono)
        self._plan(image, mono)
        if done.order is not None:
            self._switchgear.order(done.order)
        text = words.said(self._state, self._plant, self._lasts_s, mono)
        self._ports.alarm(ID, text or None)

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what the island asks of the home."""
        asked = self._policy()
        return replace(apart(policies) if asked.parted else policies, microgrid=asked)

    @property
    def standings(self) -> Sequence[Standing]:
        """What the home could do, or does, as an island."""
        state, lasts_s = self._state, self._lasts_s
        former = self._former
        stock = look.stock(former, self._plant.floor_soc)
        able = self._plant.permit is not Permit.NONE
        bounds = look.bounds(former, self._plant, state.tries)
        return (
            Standing(
                ID,
                active=state.phase is not Phase.GRID,
                down_w=bounds.upper_w if able else 0.0,
                energy_wh=None if stock is None else stock.energy_wh,
                for_s=lasts_s if able else 0.0,
                promise=words.promise(self._plant, lasts_s),
                words=words.said(state, self._plant, lasts_s, self._clock.monotonic()),
            ),
        )

    def view(self) -> IslandView:
        """Return how the home stands to its grid."""
        (standing,) = self.standings
        lasts_s, bounds = self._lasts_s, look.bounds(self._former, self._plant, self._state.tries)
        return IslandView(
            self._state.phase,
            standing.words,
            standing.promise,
            self._plant.permit,
            self._plant.agreement,
            bounds.upper_w,
            -bounds.lower_w + 0.0,
            standing.energy_wh,
            None if lasts_s is None or math.isinf(lasts_s) else lasts_s,
            self._asked_to_leave,
        )

    async def ask(self, *, leave: bool) -> None:
        """Take the owner's wish that the home part from its grid, or go back to it.

        Args:
            leave: To part.

        Raises:
            ImpossibleWishError: The utility permits no island that is planned.
        """
        if leave and self._plant.permit is not Permit.SCHEDULED:
            raise ImpossibleWishError(
                say("The utility permits no island that is planned, so the home stays connected.")
            )
        self._asked_to_leave, self._asked_to_return = leave, not leave
        self._keep.set()

    # What is asked, and what is to be done.

    def _wanted(self) -> Wanted:
        signals = self._ports.signals()
        asked = self._disconnection(signals)
        leave = say("The owner asked for it") if self._asked_to_leave else ""
        if asked is not None:
            leave = say("{program} asks the home to part from its grid", program=asked.program)
        if not leave:
            self._leave_since = None
        elif self._leave_since is None:
            self._leave_since = self._clock.monotonic()
        # A hub that was restarted goes back to no grid that it may have been asked to leave.
        unknown = signals is None and self._state.phase in PARTED
        stay = unknown or not (self._plant.returns or self._asked_to_return)
        return Wanted(self._plant.permit, leave, at_once=asked is not None, stay=stay)

    def _disconnection(self, signals: Sequence[Signal] | None) -> Signal | None:
        now = self._clock.now()
        asks = [s for s in signals or () if s.kind is SignalKind.DISCONNECT and s.in_force(now)]
        return asks[0] if asks else None

    def _policy(self) -> MicrogridPolicy:
        phase, mono = self._state.phase, self._clock.monotonic()
        island = None
        if phase in FORMED or phase is Phase.FORMING:
            bounds = look.bounds(self._former, self._plant, self._state.tries)
            island = Island(self._plant.former, bounds)
        ramp = self._ramp if phase is Phase.RETURNING else None
        return MicrogridPolicy(
            island=island,
            withheld=self._withheld(mono),
            parted=self.islanded,
            rides_through=self._rides_through(mono),
            tie_to_zero=self._softly,
            ramp=ramp,
        )

    @property
    def _softly(self) -> bool:
        """Whether nothing is to flow through the tie: until it is seen open, not only till told."""
        opening = self._state.phase is Phase.SEPARATING and self._closed is not False
        calm = self._state.bad_since is None
        return self._state.phase is Phase.SOFTENING or (opening and calm)

    def _rides_through(self, mono: float) -> bool:
        """Return whether the tie, about to open, answers a disconnection for all behind it."""
        if self._plant.permit is not Permit.SCHEDULED or self._state.phase not in _LEAVING:
            return False
        since = mono if self._leave_since is None else self._leave_since
        return self._closed is not None and mono - since < self._plant.limits.open_s

    def _withheld(self, mono: float) -> Mapping[str, str]:
        """Return which loads may not run, and why."""
        phase, plant = self._state.phase, self._plant
        if phase in _STARTING and plant.permit is not Permit.NONE:
            why = say("The home is dark: loads are switched off until there is power for them")
            return dict.fromkeys(self._order, why)
        if phase is Phase.REJOINING:
            return dict.fromkeys(self._order, say("The tie is about to close"))
        if phase not in FORMED:
            return {}
        held: dict[str, str] = {}
        if self._carried is not None and not self._spills:
            why = say(
                "The battery could not carry it for as long as the outage is expected to last"
            )
            held.update(dict.fromkeys(self._carried.withheld, why))
        if self._started_at is not None:
            on = int((mono - self._started_at) / plant.spacing_s) + 1
            waits = say("It gets power in its turn, so that not all start at once")
            held.update({name: waits for name in self._order[on:] if name not in held})
        return held

    @property
    def _former(self) -> DeviceState | None:
        return None if self._image is None else self._image.devices.get(self._plant.former)

    @property
    def _lasts_s(self) -> float | None:
        return None if self._carried is None else self._carried.lasts_s

    # What happens when.

    def _entered(self, before: Phase, image: Image, mono: float) -> None:
        """Take note of another phase."""
        state = self._state
        _log.info("microgrid: %s to %s: %s", before, state.phase, state.why or "all is well")
        self._keep.set()
        self._switchgear.forget()
        self._planned_at = -_PLAN_S
        if state.phase in {Phase.SEPARATING, Phase.DARK, Phase.ISLAND} and self._tally is None:
            asked = self._disconnection(self._ports.signals())
            self._tally = Tally(image.at, state.why, "" if asked is None else asked.event)
        if state.phase is Phase.ISLAND and before is Phase.FORMING:
            self._started_at = mono
        elif state.phase not in FORMED:
            self._started_at = None
        if state.phase is Phase.RETURNING:
            limits, from_w = self._plant.limits, max(image.net_w or 0.0, 0.0) + _MARGIN_W
            until = image.at + limits.ramp_s
            self._ramp = Ramp(from_w, image.at, until, limits.ramp_slope)
        if state.phase is Phase.GRID:
            self._asked_to_return = False
        if state.phase in {Phase.RETURNING, Phase.GRID} and self._tally is not None:
            if self._tally.formed_s or self._tally.dark_s:
                asked_by = "the utility" if self._tally.event else "the home"
                self._ports.record(self._tally.performance(ID, image.at, asked_by))
            self._tally = None
        self._ports.react()

    def _follow_clock(self) -> None:
        """Move what is remembered in UTC, where that was set: an island has no time server."""
        step_s = self._steps.step_s()
        if not step_s:
            return
        if self._tally is not None:
            self._tally = replace(self._tally, began_at=self._tally.began_at + step_s)
        if self._ramp is not None:
            since, until = self._ramp.since + step_s, self._ramp.until + step_s
            self._ramp = replace(self._ramp, since=since, until=until)

    def _count(self, image: Image, mono: float) -> None:
        before, self._looked_at = self._looked_at, mono
        if self._tally is None or before is None:
            return
        former = look.fresh(image.devices.get(self._plant.former), image.at)
        hertz = None if former is None else former.frequency_hz
        self._tally = self._tally.after(
            mono - before,
            look.draws(image, self._plant),
            hertz,
            formed=self._state.phase in FORMED,
            nominal_hz=self._plant.limits.nominal_hz,
        )

    def _plan(self, image: Image, mono: float) -> None:
        """Plan the energy over the time that the island is expected to last."""
        if mono - self._planned_at < _PLAN_S:
            return
        self._planned_at = mono
        lasted_s = 0.0 if self._tally is None else image.at - self._tally.began_at
        whole_s = self._plant.duration_s
        left_s = max(whole_s - lasted_s, whole_s / 2)  # nobody knows: it may go on as long again
        held = frozenset() if self._carried is None else self._carried.withheld
        own = look.draws(image, self._plant).get(-1) if self._state.phase in FORMED else None
        present_w = None if own is None else own.served_w
        parts = look.ahead(self._ports.expected, image.at, left_s, present_w)
        self._carried = look.energy_plan(image, self._plant, parts, held)
        if self._tally is not None:
            self._keep.set()

    async def _put(self) -> None:
        kept = Kept.of(
            self._state, self._tally, leave=self._asked_to_leave, back=self._asked_to_return
        )
        try:
            await self._ports.settings.put(KEY, kept.model_dump_json())
        except StoreError as error:
            _log.warning("the island would not be known after a restart: %s", error)
