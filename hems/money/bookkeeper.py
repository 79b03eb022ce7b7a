"""Keeps the accounts: images in, rows to the store every few minutes; never in anyone's way.

A full disk or a broken file costs the record, not the home: what cannot be written is written
with the next that can.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from math import floor
from typing import Final

from pydantic import TypeAdapter

from der.sentence import say
from hems.cem.planner.problem import Prices
from hems.cem.slots import Slots
from hems.cem.tariff import billing
from hems.cem.tariff.billing import Peak
from hems.cem.tariff.rates import Contract
from hems.image import Image
from hems.money.flows import flows
from hems.money.plant import Facts, plant
from hems.money.settle import Plant, settle
from hems.money.tally import MINUTE_S, Minute, Tag, Tally
from hems.money.twins import State
from hems.store.accounts import INTERVAL_S, AccountRow, Accounts
from hems.store.errors import StoreError

_log = logging.getLogger(__name__)

_FIRST_S: Final = 30.0
"""Who has just started a home wants to see that it counts."""
WRITE_EVERY_S: Final = 300.0
"""A crash loses at most so much of the accounts; an SD card has a write in this time."""
_MOST_S: Final = MINUTE_S + 0.5
_STATE: Final = TypeAdapter(State)
_MINUTE: Final = TypeAdapter(Minute)


class Bookkeeper:
    """Carries images into the accounts.

    Args:
        accounts: Where they are kept.
        contract: What was agreed with whoever sells.
        prices: Returns what a kWh costs in each of some slots.
        facts: What was commissioned.
        alarm: Told in one sentence when writing fails, and None when it works again.
        asked: Returns the ids of appliances that were asked to run and have not begun.
    """

    def __init__(
        self,
        accounts: Accounts,
        contract: Contract,
        prices: Callable[[Slots], Prices],
        facts: Facts,
        alarm: Callable[[str | None], None],
        *,
        asked: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._accounts = accounts
        self._contract = contract
        self._prices = prices
        self._facts = facts
        self._alarm = alarm
        self._asked = asked
        self._tally = Tally()
        self._plant = Plant()
        self._minutes: list[Minute] = []
        self._state = State()
        self._charges: dict[str, float] = {}
        self._peak = Peak()
        self._rows: dict[int, AccountRow] = {}
        self._written = 0
        self._loaded = False

    def take_image(self, image: Image) -> None:
        """Take in an image; no I/O."""
        now = flows(image, self._asked())
        self._plant = plant(image, self._facts, self._plant)
        self._charges |= now.stored
        for minute in self._tally.take(now):
            self._add(self._tagged(minute))

    def peak_so_far_w(self, now: float) -> float:
        """Return the highest quarter-hour mean import of the billing month that holds `now`.

        Args:
            now: UTC epoch seconds.
        """
        since = billing.month_start(now, self._contract.zone, self._contract.billing_day)
        return self._peak.power_w if self._peak.since == since else 0.0

    async def run(self) -> None:
        """Keep the accounts until cancelled, then write once more.

        The first thing is to read what was not settled: the plan wants to know the peak.
        """
        try:
            await self.flush()
            await asyncio.sleep(_FIRST_S)
            while True:
                await self.flush()
                await asyncio.sleep(WRITE_EVERY_S)
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Settle what there is and write it down."""
        try:
            if not self._loaded:
                await self._resume()
            await self._write()
        except StoreError as error:
            self._alarm(say("The accounts are not being written: {error}", error=error))
        else:
            self._alarm(None)

    async def _resume(self) -> None:
        """Take up what was not settled before a restart, under what has come since."""
        kept = await self._accounts.unsettled()
        self._loaded = True
        since, self._minutes = self._minutes, []
        try:
            if kept.state is not None:
                self._state = _STATE.validate_json(kept.state)
            for body in kept.minutes.values():
                self._add(_MINUTE.validate_json(body))
        except ValueError as error:
            _log.warning("accounts of before the restart cannot be read: %.200s", error)
        self._peak = self._state.peak
        for minute in since:
            self._add(minute)

    def _add(self, minute: Minute) -> None:
        """Add a minute; what is dated later, or was the same minute once, gives way.

        So after a clock was set back nothing is counted twice: the new minutes, and in the end
        their rows, take the place of those that were dated wrongly.
        """
        self._give_way(minute.at)
        if self._minutes and self._minutes[-1].at == minute.at:
            last = self._minutes.pop()
            if last.metered_s + minute.metered_s <= _MOST_S:
                minute = last.joined(minute)
        self._minutes.append(minute)

    def _give_way(self, at: int) -> None:
        """Forget what is dated later than a minute that is seen now.

        The meter's registers went on in that time: over the quarter-hour into which the clock was
        set back they tell nothing.
        """
        if self._minutes and self._minutes[-1].at > at:
            start = _interval(at)
            self._minutes = [
                minute if minute.at < start else replace(minute, opened=None, closed=None)
                for minute in self._minutes
                if minute.at <= at
            ]
            self._written = min(self._written, start)
        self._written = min(self._written, at)
        if at < self._state.at:
            self._state = replace(self._state, at=float(_interval(at)))

    def _tagged(self, minute: Minute) -> Minute:
        prices = self._prices(Slots(float(minute.at), float(MINUTE_S), 1))
        carbon = prices.carbon_kg_per_kwh[0] if prices.carbon_kg_per_kwh else None
        tag = Tag(prices.import_per_kwh[0], prices.export_per_kwh[0], carbon)
        return replace(minute, tag=tag)

    def _with_running(self) -> tuple[Minute, ...]:
        """Return the minutes, and what is known of the running one."""
        running = self._tally.running
        if running is None:
            return tuple(self._minutes)
        self._give_way(running.at)
        running = self._tagged(running)
        if self._minutes and self._minutes[-1].at == running.at:
            return (*self._minutes[:-1], self._minutes[-1].joined(running))
        return (*self._minutes, running)

    async def _write(self) -> None:
        minutes = self._with_running()
        if not minutes:
            return
        state = self._begun()
        # Days of minutes take a tenth of a second on a small machine; control does not wait.
        found = await asyncio.to_thread(settle, minutes, state, self._plant, self._contract)
        settled = round(found.state.at)
        news = [minute for minute in minutes if minute.at >= max(settled, self._written)]
        await self._accounts.put(
            [row for row in found.rows if self._rows.get(row.start) != row],
            _STATE.dump_json(found.state).decode(),
            {minute.at: _MINUTE.dump_json(minute).decode() for minute in news},
            settled=settled,
            end=minutes[-1].at + MINUTE_S,
        )
        # From here on what stands in the store is what is gone on from.
        self._state, self._peak = found.state, found.peak
        self._written = minutes[-1].at
        self._rows = {row.start: row for row in found.rows if row.start >= settled}
        self._minutes = [minute for minute in self._minutes if minute.at >= settled]

    def _begun(self) -> State:
        """Return the state with batteries that the greedy twin has not had until now."""
        new = {
            name: self._charges[name] * cell.capacity_wh
            for name, cell in self._plant.cells.items()
            if name not in self._state.stored_wh and name in self._charges
        }
        return replace(self._state, stored_wh={**self._state.stored_wh, **new})


def _interval(at: float) -> int:
    return floor(at / INTERVAL_S) * INTERVAL_S
