"""What a charger has said, over all its connections: who it is, its cable, its meter, its clock."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from der.addresses import StationAddress
from der.drivers.ocpp.clock import ChargerClock, epoch
from der.drivers.ocpp.meter import Measured, MeterSample, Nominal, sample
from der.drivers.ocpp.said import Said, plain
from der.drivers.ocpp.words import WITH_CAR, Boot, Plug
from der.model import Alarm, Connection
from der.steps import StepWatch

_FACTS: Final = 64
"""Settings that are remembered; a charger has many more that nobody asks for."""
_MOST_ID: Final = 0x3FFFFFFF

CLOCK: Final = "clock"

log = logging.getLogger(__name__)


class Record:
    """Keeps what one charger says; the `Listener` of its sessions.

    Args:
        address: The charger as configured.
        said: What has been said of it.
        most_w: The most that it can draw.
        now: UTC epoch seconds.
        monotonic: Seconds that never step.

    Attributes:
        plug: What its connector is doing; None before it said so.
        sample: What it measured last; None before it did.
        transaction: The one that is going on, if any.
        alarms: What it complains of; None before it could say.
        connection: Who it says it is.
        clock: What is known of its clock.
        facts: Its settings and abilities, by name.
        on_news: Called when a limit may have to be told anew: its clock was found to be another
            than thought, or a transaction began.
        on_boot: Called when it has said who it is.
        on_step: Called with the seconds by which our clock was set, once what is known here has
            moved along.
    """

    def __init__(
        self,
        address: StationAddress,
        said: Said,
        most_w: float,
        now: Callable[[], float],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plug: Plug | None = None
        self.sample: MeterSample | None = None
        self.transaction: str | None = None
        self.alarms: frozenset[Alarm] | None = None
        self.connection = Connection(f"OCPP station {address.identity}")
        self.clock = ChargerClock()
        self.facts: dict[str, str] = {}
        self.on_news: Callable[[], None] = _nothing
        self.on_boot: Callable[[], object] = _nothing
        self.on_step: Callable[[float], None] = lambda _: None
        self._address = address
        self._said = said
        self._nominal = Nominal(address.wiring.voltage_v, most_w)
        self._now = now
        self._steps = StepWatch(now, monotonic)
        self._next = int(now()) & _MOST_ID

    @property
    def has_car(self) -> bool | None:
        """Whether a car is plugged in; None where the charger cannot say."""
        if self.plug is None or self.plug is Plug.FAULTED:
            return None
        return self.plug in WITH_CAR

    def now(self) -> float:
        """Return UTC as epoch seconds; what is known in older time has moved along then."""
        step_s = self._steps.step_s()
        now = self._now()
        if step_s:
            self.clock = self.clock.shifted(step_s, now)
            if self.sample is not None:
                self.sample = self.sample.shifted(step_s)
            self.on_step(step_s)
        return now

    def booted(self, boot: Boot) -> None:
        """Note who it says it is."""
        self.connection = replace(
            self.connection,
            manufacturer=plain(boot.manufacturer),
            model=plain(boot.model),
            serial=plain(boot.serial),
            firmware=plain(boot.firmware),
        )
        self.on_boot()

    def called(self, host: str, key: str) -> None:
        """Note from where it called, and what key it proved to hold."""
        self.connection = replace(self.connection, host=host, key=key)

    def forget_who(self) -> None:
        """Forget what it said that it is: it was turned away, and another may call next."""
        self.connection = Connection(self.connection.address)

    def timed(self, stated: str) -> None:
        """Note what its clock says now."""
        self._look_at_clock(epoch(stated))

    def plugged(self, connector: int, plug: Plug) -> None:
        """Note what our connector is doing."""
        if connector == self._address.connector:
            self.plug = plug
            if plug is Plug.FREE and self.sample is not None:
                self.sample = replace(self.sample, soc=None)  # the next car's is not known

    def occupied(self, connector: int) -> None:
        """Note that our connector has a car."""
        if connector == self._address.connector and self.plug not in WITH_CAR:
            self.plug = Plug.PLUGGED

    def alarmed(self, connector: int, alarms: frozenset[Alarm]) -> None:
        """Note what our connector, or the whole charger (0), complains of."""
        if connector in {0, self._address.connector}:
            self.alarms = alarms

    def measured(self, connector: int, values: Sequence[Measured], stated: str) -> None:
        """Note measurements of our connector, or of the whole charger (0)."""
        now, told = self.now(), epoch(stated)
        self._look_at_clock(told)
        if connector in {0, self._address.connector}:
            age_s = 0.0 if told is None else self.clock.age_s(told, now)
            self.sample = sample(values, now - age_s, self._nominal, self.sample)

    def started(self, connector: int, tag: str | None, transaction: str | None) -> str:
        """Note that a transaction starts, and return its id, unique over restarts of the hub."""
        if transaction is None:
            self._next += 1
            transaction = str(self._next)
        if tag is None or self.accepts(tag):
            self.running(connector, transaction)
        return transaction

    def running(self, connector: int, transaction: str) -> None:
        """Note a transaction that is going on, perhaps since before a restart of the hub."""
        if connector == self._address.connector and self.transaction != transaction:
            self.transaction = transaction
            self.on_news()

    def ended(self, transaction: str) -> None:
        """Note that a transaction ended."""
        if transaction == self.transaction:
            self.transaction = None

    def accepts(self, tag: str) -> bool:
        """Whether this card may charge."""
        tags = self._address.id_tags
        return not tags or tag in tags

    def reported(self, values: Mapping[str, str]) -> None:
        """Note settings and facts; what is beyond measure is left out."""
        for name, value in values.items():
            if name in self.facts or len(self.facts) < _FACTS:
                self.facts[name] = value

    def warned(self, what: str, why: str) -> None:
        """Log what it complains of."""
        self._said.warn(what, plain(why, 200))

    def noted(self, what: str, why: str) -> None:
        """Log what it tells."""
        self._said.note(what, plain(why, 200))

    def _look_at_clock(self, told: float | None) -> None:
        if told is None:
            return
        now, before = self.now(), self.clock.off_s
        self.clock = self.clock.heard(told, now)
        off_s = self.clock.off_s
        if abs(off_s - before) < 1.0:
            return
        if off_s:
            way = "ahead" if off_s > 0 else "behind"
            minutes = f"{abs(off_s) / 60:.0f} min {way}"
            self._said.warn(CLOCK, f"the charger's is {minutes}; it is told its limits by that")
        else:
            self._said.over(CLOCK)
            log.info("%s: the charger's clock is well again", self._said.name)
        self.on_news()


def _nothing() -> None:
    """Nobody wants to know."""
