"""A home that takes part: a real store, events as the test says, time as the test sets it."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from hems.participation.asked import Asked
from hems.participation.assembly import assembled
from hems.participation.participation import Participation, Surroundings, Terms
from hems.store.store import Store
from hems.surface import UnknownEventError
from programs.about import Standing
from programs.ready_by import Departure
from programs.registry import Programme
from programs.signal import Signal, SignalKind
from tests.hems.money.homes import HeldClock, image

T = 1_800_000_000.0  # a Friday, 08:00 UTC
BERLIN = ZoneInfo("Europe/Berlin")
LFDI = "3E" * 20
EVENT = Asked(
    event="0A",
    asked_by="Peak Saver",
    lfdi=LFDI,
    starts_at=T,
    ends_at=T + 600.0,
    state="running",
    opted_out=False,
    binding=False,
    asks=((SignalKind.IMPORT_LIMIT, 1500.0),),
)


def signal_of(asked: Asked, baseline_w: float | None = None) -> Signal:
    ((kind, value),) = asked.asks
    return Signal(
        asked.event,
        asked.asked_by,
        kind,
        value,
        asked.starts_at,
        asked.ends_at,
        asked.binding,
        baseline_w=baseline_w,
    )


@dataclass
class Play:
    """Participation, and what is around it."""

    store: Store
    clock: HeldClock
    terms: Terms = field(default_factory=Terms)
    events: list[Asked] = field(default_factory=list)
    signals: list[Signal] | None = field(default_factory=list)
    bound: str = ""
    chosen: list[tuple[str, bool]] = field(default_factory=list)
    alarms: list[str | None] = field(default_factory=list)
    work: list[Coroutine[Any, Any, None]] = field(default_factory=list)
    reacted: int = 0
    recorded: frozenset[str] = frozenset()
    departures: Sequence[Departure] = ()
    islanded: bool = False
    part: Participation = field(init=False)

    def __post_init__(self) -> None:
        self.part = self.anew()

    def anew(self) -> Participation:
        """Return what a restart would make."""
        self.part = assembled(
            self.store,
            self.clock,
            self.terms,
            Surroundings(
                asked=lambda: self.events,
                bound=self._bound,
                choose=self._choose,
                standings=self._standings,
                spawn=self.work.append,
                react=self._react,
                elsewhere=lambda: self.recorded,
                departures=lambda _at: self.departures,
                islanded=lambda: self.islanded,
            ),
            meter="meter",
            zone=BERLIN,
            signals=lambda: self.signals,
            alarm=self.alarms.append,
        )
        return self.part

    def _bound(self, _programme: Programme) -> str:
        return self.bound

    def _standings(self) -> Sequence[Standing]:
        return [Standing("economy", active=True, words="It follows the plan.")]

    def _react(self) -> None:
        self.reacted += 1

    async def _choose(self, event: str, leave: bool) -> None:
        if event not in {e.event for e in self.events}:
            raise UnknownEventError("this event is not known, or it is over")
        self.chosen.append((event, leave))

    async def work_done(self) -> None:
        while self.work:
            await self.work.pop(0)

    def live(self, start: float, end: float, net_w: float, every_s: float = 1.0) -> None:
        """Have the meter show a power from one second to another after `T`."""
        at = T + start
        while at <= T + end:
            self.clock.at = at
            self.part.take_image(image(at, {"meter": net_w, "tank": 0.0}))
            at += every_s
