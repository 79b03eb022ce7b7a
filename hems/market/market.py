"""The wholesale market as the home follows it (BUC-6): prices, threshold, events, what they earned.

While the wholesale price exceeds the operator's net-benefits price of the month the rule in
`programs.economic` asks for less load. What was delivered is measured against the customer baseline
of days like this one, and paid at the wholesale price of each quarter-hour.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError

from der.model import Quality
from der.sentence import Quantity, say
from der.steps import StepWatch
from hems.cem.slots import Slots
from hems.cem.tariff.series import Series
from hems.clock import Clock
from hems.image import Image
from hems.market.earned import Log, settle
from hems.market.thresholds import Kept, Threshold
from hems.store.errors import StoreError
from hems.store.settings import Settings
from programs import economic
from programs.about import Standing
from programs.customer_baseline import Baseline
from programs.economic import EconomicPolicy, Hysteresis, Run
from programs.performance import Performance
from programs.registry import Policies

_log = logging.getLogger(__name__)

_LOOK_S: Final = 1.0
_SAVE_S: Final = 60.0
_KEY: Final = "economic demand response"
_SETTLE_AFTER_S: Final = 120.0
"""The last minute's mean is written down a little later than it ended."""
_AGAIN_S: Final = 60.0
"""What could not be settled is tried again after so long."""
_GONE_S: Final = 300.0
"""Who was away for longer has not followed the market meanwhile."""
_MOST_UNSETTLED: Final = 200


class Wholesale(Protocol):
    """Where wholesale prices come from."""

    @property
    def price(self) -> Series | None:
        """Per kWh, by time; None before the first."""
        ...

    @property
    def told_at(self) -> float:
        """When they were last read well, UTC epoch seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed, and how it is followed.

    Attributes:
        zone: Where the home is; days begin at its midnight.
        currency: Of all prices.
        obliged: Whether the home is bound to follow.
        exempt: Ids of devices that are left alone.
        stale_s: Prices not read anew for so long are not acted on.
        hysteresis: So that nothing flaps.
        months_zone: Where the operator is, at whose midnight months begin; None for the home's.
    """

    zone: ZoneInfo
    currency: str = ""
    obliged: bool = False
    exempt: frozenset[str] = frozenset()
    stale_s: float = 7200.0
    hysteresis: Hysteresis = Hysteresis()  # noqa: RUF009 (frozen)
    months_zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class MarketEvents:
    """Whom the market asks and tells; none but the first two may block.

    Attributes:
        baseline: Finds what the home would have taken from one time to another, UTC epoch seconds;
            None where nobody knows.
        minutes: Returns means of net power over it by the minute: start of each and W.
        record: Takes what was delivered.
        alarm: Told in one sentence why prices are not acted on; None when they are again.
        react: Has the control cycle act on what pays now.
        joined: Tells of a programme whether the home takes part in it.
        islanded: Whether the home is parted from its grid, which then has nothing of what it does.
    """

    baseline: Callable[[float, float], Awaitable[Baseline | None]]
    minutes: Callable[[float, float], Awaitable[Sequence[tuple[float, float]]]]
    record: Callable[[Performance], None]
    alarm: Callable[[str | None], None]
    react: Callable[[], None]
    joined: Callable[[str], bool] = lambda _programme: True
    islanded: Callable[[], bool] = lambda: False


class _Saved(BaseModel):
    """The market's memory as the store has it."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    since: float | None = None
    ended: float | None = None
    threshold: float = 0.0
    unsettled: tuple[Log, ...] = ()
    at: float | None = None


class Market:
    """Follows wholesale prices; a `hems.uses.use.Use`.

    Args:
        wholesale: Where prices come from.
        thresholds: Returns the net-benefits prices that are known.
        terms: What was agreed.
        clock: Where the time comes from.
        kept: Where its memory outlives a restart.
        tell: Whom it asks and tells.
    """

    def __init__(
        self,
        wholesale: Wholesale,
        thresholds: Callable[[], Kept],
        terms: Terms,
        *,
        clock: Clock,
        kept: Settings,
        tell: MarketEvents,
    ) -> None:
        self._wholesale = wholesale
        self._thresholds = thresholds
        self._terms = terms
        self._clock = clock
        self._steps = StepWatch(clock.now, clock.monotonic)
        self._kept = kept
        self._tell = tell
        self._run = Run()
        self._log: Log | None = None
        self._unsettled: list[Log] = []
        self._image: Image | None = None
        self._trouble = ""
        self._settle_from = -math.inf  # monotonic

    async def load(self) -> None:
        """Take up an event that ran when the hub stopped, and what is still to be settled."""
        try:
            text = (await self._kept.all()).get(_KEY)
            saved = _Saved() if text is None else _Saved.model_validate_json(text)
        except (StoreError, ValidationError) as error:
            _log.warning("what the market asked before the restart is not known: %.200s", error)
            return
        ended = float("-inf") if saved.ended is None else saved.ended
        self._run = Run(saved.since, ended, saved.threshold)
        self._unsettled = list(saved.unsettled)
        if saved.since is not None and self._unsettled:
            self._log = self._unsettled.pop()
            if saved.at is not None and self._clock.now() - saved.at > _GONE_S:
                self._unsettled.append(self._log.over(saved.at, opted_out=False))
                self._log, self._run = None, Run(ended=saved.at)

    async def run(self) -> None:
        """Follow prices until cancelled."""
        saved_at = self._clock.monotonic()
        try:
            while True:
                self.look()
                await self._settle()
                if self._clock.monotonic() - saved_at >= _SAVE_S:
                    await self._save()
                    saved_at = self._clock.monotonic()
                await asyncio.sleep(_LOOK_S)
        finally:
            await self._save()

    def look(self) -> None:
        """Follow the prices of this instant."""
        step_s = self._steps.step_s()
        if step_s:
            since = None if self._run.since is None else self._run.since + step_s
            self._run = replace(self._run, since=since, ended=self._run.ended + step_s)
            self._log = None if self._log is None else self._log.shifted(step_s)
        now, threshold = self._clock.now(), self._threshold()
        price, level = self._price(now), None if threshold is None else threshold.per_kwh
        self._say(economic.fault(price, level, self._terms.hysteresis) if self._joined else "")
        if self._joined and not self._tell.islanded():
            after = economic.follow(self._run, price, level, now, self._terms.hysteresis)
        else:
            after = self._run if self._run.since is None else Run(ended=now)
        if (after.since is None) is not (self._run.since is None):
            self._turn(after, now, threshold)
        self._run = after
        if self._log is not None and price is not None:
            self._log = self._log.priced(now, price)

    def spared(self, slots: Slots) -> tuple[float, ...]:
        """Return what is paid for each kWh that is not taken, by slot of a plan.

        That is the wholesale price where it is known by now and calls for less load, else 0; empty
        where nothing is paid.
        """
        series = self._series()
        if series is None or not self._joined or self._tell.islanded():
            return ()
        row = tuple(self._paid_at(series.at(start), start) for start in slots)
        return row if any(row) else ()

    def take_image(self, image: Image) -> None:
        """Keep what the devices said: how much less the home could take."""
        self._image = image

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what prices ask in them.

        The plan has no word about what waits for the market, or the two would fight.
        """
        since = self._run.since if self._joined else None
        if since is None:
            return policies
        asked = EconomicPolicy(since, self._why(), self._terms.obliged, self._terms.exempt)
        devices = {} if self._image is None else self._image.devices
        held = {name for name, state in devices.items() if economic.touches(state, asked)}
        steps = {n: each for n, each in policies.economy.steps.items() if n not in held}
        return replace(policies, economic=asked, economy=replace(policies.economy, steps=steps))

    @property
    def standings(self) -> Sequence[Standing]:
        """How the programme stands."""
        now, threshold = self._clock.now(), self._threshold()
        active = self._joined and self._run.since is not None
        price = self._price(now)
        words = self._why() if active else self._trouble
        if not words and price is not None and threshold is not None:
            words = say(
                "The wholesale price {price} does not call for less load: the net-benefits price "
                "is {threshold}.",
                price=self._money(price),
                threshold=self._money(threshold.per_kwh),
            )
        promise = say("as much as waits and is stored; comfort and the owner's wishes come first")
        if self._terms.obliged:
            promise = say("as agreed, but for what is too cold already")
        return (Standing(economic.ID, active, self._less_w(), promise=promise, words=words),)

    @property
    def _joined(self) -> bool:
        return self._tell.joined(economic.ID)

    def _turn(self, after: Run, now: float, threshold: Threshold | None) -> None:
        """Begin or end an event."""
        if after.since is not None and threshold is not None:
            kept = self._thresholds()
            self._log = Log(
                starts_at=after.since,
                ends_at=after.since,
                threshold=threshold,
                read_at=kept.read_at,
                source=kept.source,
            )
        elif self._log is not None:
            opted_out = not self._joined
            over = self._log.over(now, opted_out=opted_out)
            self._unsettled = [*self._unsettled, over][-_MOST_UNSETTLED:]
            self._log = None
        self._tell.react()

    async def _settle(self) -> None:
        """Record what was delivered in events that are over."""
        now = self._clock.now()
        if self._clock.monotonic() < self._settle_from:
            return
        for log in [each for each in self._unsettled if now >= each.ends_at + _SETTLE_AFTER_S]:
            try:
                found = await self._tell.baseline(log.starts_at, log.ends_at)
                minutes = await self._tell.minutes(log.starts_at, log.ends_at)
            except StoreError as error:
                _log.warning("an event of the market cannot be settled yet: %s", error)
                self._settle_from = self._clock.monotonic() + _AGAIN_S
                return
            self._tell.record(settle(log, found, minutes).performance(self._terms.currency))
            self._unsettled.remove(log)
            await self._save()

    def _price(self, now: float) -> float | None:
        """Return the wholesale price now; None where it is not known, or too old to be believed."""
        series = self._series()
        return None if series is None else series.at(now)

    def _series(self) -> Series | None:
        """Return the wholesale prices; None while they are too old to be believed."""
        series = self._wholesale.price  # first: a utility's are looked up by this alone
        stale = self._clock.now() - self._wholesale.told_at > self._terms.stale_s
        return None if stale else series

    def _paid_at(self, price: float | None, at: float) -> float:
        threshold = self._threshold(at)
        level = None if threshold is None else threshold.per_kwh
        if price is None or level is None or price <= level:
            return 0.0
        return 0.0 if economic.fault(price, level, self._terms.hysteresis) else price

    def _threshold(self, at: float | None = None) -> Threshold | None:
        """Return the threshold of a time, UTC epoch seconds, or of now."""
        zone = self._terms.months_zone or self._terms.zone
        return self._thresholds().at(self._clock.now() if at is None else at, zone)

    def _less_w(self) -> float:
        """Return what of the home's load could wait at once, W; batteries could give more."""
        asked = EconomicPolicy(0.0, exempt=self._terms.exempt)
        states = () if self._image is None else tuple(self._image.devices.values())
        return sum(
            max(state.reading.power_w, 0.0)
            for state in states
            if state.reading is not None
            and state.quality is Quality.GOOD
            and economic.touches(state, asked)
        )

    def _why(self) -> str:
        price, threshold = self._price(self._clock.now()), self._threshold()
        if price is None or threshold is None:
            return say("Power is dear on the wholesale market")
        return say(
            "Wholesale power costs {price}, above the net-benefits price {threshold} of {month}",
            price=self._money(price),
            threshold=self._money(threshold.per_kwh),
            month=threshold.month,
        )

    def _money(self, per_kwh: float) -> Quantity:
        return Quantity(f"{per_kwh:.4g}", f"{self._terms.currency}/kWh")

    def _say(self, fault: str) -> None:
        trouble = say("The market is not followed: {fault}.", fault=fault) if fault else ""
        if trouble != self._trouble:
            self._trouble = trouble
            self._tell.alarm(trouble or None)

    async def _save(self) -> None:
        running = () if self._log is None else (self._log,)
        ended = self._run.ended if self._run.ended > 0 else None
        saved = _Saved(
            since=self._run.since,
            ended=ended,
            threshold=self._run.threshold,
            unsettled=(*self._unsettled, *running),
            at=self._clock.now(),
        )
        try:
            await self._kept.put(_KEY, saved.model_dump_json())
        except StoreError as error:
            _log.warning("what the market asks will not outlive a restart: %s", error)
