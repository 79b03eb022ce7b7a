"""What a charger is told to keep to: its limit, on which phases, and what rules without the hub."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from der.addresses import Wiring
from der.commands import ChargingStep
from der.drivers.ocpp.phases import PhaseChoice, choose
from der.drivers.ocpp.plan import (
    LIMIT_PROFILE,
    Plan,
    Rating,
    Step,
    fallback_plan,
    in_force,
    limit_plan,
    steps_plan,
)
from der.drivers.ocpp.record import Record
from der.drivers.ocpp.session import CALL_TIMEOUT_S
from der.drivers.ocpp.words import Orders
from der.errors import PermanentError, RejectedError, TransientError
from der.model import Expiry, Safeguard, Setpoint
from der.sentence import say

LIMIT = "limit of its power"
FALLBACK = "fallback limit"
STEPS = "charging profile"


class Mandate:
    """The limit of one charger.

    Args:
        name: The device's id, with which messages begin.
        wiring: How the charger is connected.
        record: What it has said; knows the time.
        most_w: The most that it can draw.
        live: Returns its present connection; raises TransientError, naming what was wanted.

    Attributes:
        rating: What the charger is, as far as its limits are concerned.
        told_at: When it accepted its limit.
    """

    def __init__(
        self,
        name: str,
        wiring: Wiring,
        record: Record,
        most_w: float,
        *,
        live: Callable[[str], Orders],
    ) -> None:
        most_a = most_w / (wiring.voltage_v * wiring.phases)
        self.rating = Rating(wiring, max(most_a, wiring.least_a))
        self.told_at = 0.0
        self._name = name
        self._record = record
        self._live = live
        self._shifted_s = 0.0
        self._wanted: Setpoint | Plan | None = None
        self._until = 0.0
        self._plan: Plan | None = None
        self._limit_w: float | None = None
        self._lapses_at = 0.0
        self._phases: PhaseChoice | None = None
        self._fallback: bool | None = None
        self._by_transaction = False
        self._telling = asyncio.Lock()  # what is in force is what was sent last, never two at once

    @property
    def limit_w(self) -> float | None:
        """The limit in W that it accepted last and that has not lapsed; None for steps."""
        return self._limit_w if self._record.now() < self._lapses_at else None

    @property
    def again_at(self) -> float | None:
        """When the limit must be told anew because it waits for its phases; None if it need not."""
        return None if self._phases is None else self._phases.again_at

    @property
    def bare(self) -> bool:
        """Whether it has refused the fallback limit."""
        return self._fallback is False

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of it without the hub."""
        wiring = self.rating.wiring
        safe = say("charges with at most {power:g} W", power=self.rating.fallback_w)
        if self.rating.fallback_w < wiring.least_a * wiring.voltage_v:
            safe = say("does not charge")
        if self._fallback:
            return Safeguard(Expiry.FALLBACK, safe)
        if self._fallback is None:
            risk = say("it has not confirmed its fallback limit yet")
        else:
            risk = say(
                "it refused the fallback limit: each limit goes over into that one when it lapses, "
                "but a charger that restarts without the hub charges with all it can"
            )
        return Safeguard(Expiry.FALLBACK, safe, risk)

    async def limit(self, setpoint: Setpoint) -> None:
        """Put a limit in force: one SetChargingProfile, sent at once.

        Raises:
            PermanentError: The charger refuses it.
            TransientError: No usable answer, or no charger.
        """
        self._want(setpoint, setpoint.lapse_s)
        async with self._alone(LIMIT):
            await self._limit(setpoint)

    async def follow(self, steps: Sequence[ChargingStep], lapse_s: float) -> None:
        """Put steps in force in the limit's place; errors as for `limit`.

        Raises:
            RejectedError: The steps make no sense.
        """
        try:
            plan = steps_plan(
                steps, lapse_s, self.rating, self._record.now(), ends_in_fallback=self.bare
            )
        except ValueError as error:
            raise RejectedError(f"{self._name}: {STEPS}: {error}") from error
        self._want(plan, lapse_s)
        async with self._alone(STEPS):
            wanted = self._wanted  # which the clock may have moved meanwhile
            await self._install(wanted if isinstance(wanted, Plan) else plan, STEPS)
            self._limit_w = None

    async def clear(self) -> None:
        """Take the hub's limit, or its steps, back; errors as for `limit`."""
        what = "end of limit"
        self._want(None, 0.0)
        async with self._alone(what):
            await self._live(what).clear(LIMIT_PROFILE, what)
            self._plan = self._limit_w = None

    async def renew(self) -> None:
        """Send again what it was told last, taken or not; errors as for `limit`."""
        async with self._alone(LIMIT):
            now = self._record.now()  # what is remembered may move along
            wanted, left_s = self._wanted, self._until - now
            if wanted is None or left_s <= 0:
                return
            if isinstance(wanted, Setpoint):
                # Its own lapse bounds what a clock set back would make of it.
                await self._limit(replace(wanted, lapse_s=min(left_s, wanted.lapse_s)))
            else:
                await self._install(wanted, STEPS)

    async def fall_back(self) -> None:
        """Tell the charger what rules without the hub; errors as for `limit`."""
        try:
            await self._live(FALLBACK).install(fallback_plan(self.rating), FALLBACK)
        except PermanentError:
            self._fallback = False
            raise
        self._fallback = True

    def expected(self) -> Step | None:
        """Return the step that must rule in the charger now; None where nothing is known to."""
        now = self._record.now()  # what is remembered may move along
        plan = self._plan
        ruling = None if plan is None else in_force(plan, now)
        if ruling is None and self._fallback:
            return fallback_plan(self.rating).steps[0]
        return ruling

    def shift(self, step_s: float) -> None:
        """Move what is remembered along where our clock was set by so many seconds."""
        self.told_at += step_s
        self._until += step_s
        self._lapses_at += step_s
        self._shifted_s += step_s
        if isinstance(self._wanted, Plan):
            self._wanted = self._wanted.shifted(step_s)
        if self._plan is not None:
            self._plan = self._plan.shifted(step_s)
        if self._phases is not None:
            self._phases = self._phases.shifted(step_s)

    @asynccontextmanager
    async def _alone(self, what: str) -> AsyncIterator[None]:
        """Have the charger told one thing at a time; raises TransientError after a call's time.

        Whoever waits for another's call gets the same words as one whose own is not answered.
        """
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S), self._telling:
                yield
        except TimeoutError as error:
            raise TransientError(
                f"{self._name}: {what}: no answer within {CALL_TIMEOUT_S:g} s"
            ) from error

    def _want(self, wanted: Setpoint | Plan | None, lapse_s: float) -> None:
        self._wanted, self._until = wanted, self._record.now() + lapse_s

    async def _limit(self, setpoint: Setpoint) -> None:
        now = self._record.now()
        self._phases = choose(setpoint.power_w, self.rating.wiring, self._phases, now)
        sample = self._record.sample
        rating = replace(self.rating, measured_v=None if sample is None else sample.voltage_v)
        plan = limit_plan(setpoint, rating, self._phases.phases, now, ends_in_fallback=self.bare)
        await self._install(plan, LIMIT)
        if self.limit_w != setpoint.power_w:
            self.told_at = self._record.now()
        self._limit_w, self._lapses_at = setpoint.power_w, self._record.now() + setpoint.lapse_s

    async def _install(self, plan: Plan, what: str) -> None:
        """Install a plan as the default for transactions, by the charger's own clock.

        A charger that refuses that while a transaction runs may take it for this one only.
        """
        orders, transaction = self._live(what), self._record.transaction
        shifted_s = self._shifted_s
        told = plan.shifted(self._record.clock.off_s)
        only = replace(told, transaction=transaction)
        if transaction is None or not self._by_transaction:
            try:
                await orders.install(told, what)
            except PermanentError:
                if transaction is None:
                    raise
                await orders.install(only, what)
                self._by_transaction = True
        else:
            await orders.install(only, what)
        self._plan = plan.shifted(self._shifted_s - shifted_s)
