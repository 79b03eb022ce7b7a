"""How the hub itself does, gathered when a program asks; nothing is kept for it meanwhile.

What must be counted as it happens is counted where it does: cycles in `hems.cem.cycle`,
transactions in `hems.store.database`.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from der.model import Quality
from hems.alarms import Alarms
from hems.cem.arbiter import Decision, Span
from hems.cem.cycle import Cycle
from hems.clock import Clock
from hems.front import Front
from hems.grid import Grid
from hems.metrics.metric import Labels, Metric
from hems.metrics.spread import Spread
from hems.planning.economics import Economics
from hems.store.errors import StoreError
from hems.store.store import Store
from hems.surface import Snapshot
from hems.vitals import catalogue
from programs.proposal import Rank

STATES: Final = ("searching", "connecting", "connected", "unreachable", "refused", "off")
"""How a link may stand (`hems.surface.UtilityView`)."""
STAGES: Final = ("coming", "running", "completed", "cancelled", "superseded", "rejected")
"""How an event may stand (`hems.surface.EventView`)."""
_ALONE: Final = ()
"""The labels of a metric that has none."""

Values = Mapping[Metric, Mapping[Labels, float]]
Spreads = Mapping[Metric, Mapping[Labels, Spread]]


@dataclass(frozen=True, slots=True)
class Vitals:
    """Asks the parts of the home.

    Attributes:
        clock: Where the time comes from.
        front: What people see of it.
        cycle: The control cycle.
        grid: The links to utilities.
        economics: The plan.
        alarms: What is wrong.
        store: What is remembered.
        decision: Returns what was decided last.
        watchdog_s: See `hems.means.Means`.
    """

    clock: Clock
    front: Front
    cycle: Cycle
    grid: Grid
    economics: Economics
    alarms: Alarms
    store: Store
    decision: Callable[[], Decision]
    watchdog_s: float

    async def values(self) -> Values:
        """Return all counters and gauges as they are now."""
        home, decision, plan = self.front.snapshot(), self.decision(), self.economics.plan()
        now = self.clock.now()
        outcomes = self.store.pace.outcomes
        return {
            catalogue.MISSED: {_ALONE: float(self.cycle.overruns)},
            catalogue.DECIDED: {_ALONE: self.cycle.undecided_s},
            catalogue.WATCHDOG: {_ALONE: self.watchdog_s},
            catalogue.REFUSING: {_ALONE: float(len(self.cycle.refusals))},
            catalogue.UNMET_W: {_ALONE: self.cycle.allocation.unmet_w},
            **of_home(home),
            **of_decision(decision),
            **of_links(home, self.grid.offsets, self.grid.silences),
            catalogue.OWED: await self._owed(),
            catalogue.STORED: {labels: float(count) for labels, count in outcomes.items()},
            **await asyncio.to_thread(of_files, self.store.path),
            catalogue.PLAN_AGE: {} if plan is None else {_ALONE: max(now - plan.made_at, 0.0)},
            catalogue.PLANNER: {_ALONE: float(self.economics.planner is not None)},
            catalogue.ALARMS: {(kind,): float(n) for kind, n in self.alarms.kinds.items()},
        }

    @property
    def spreads(self) -> Spreads:
        """All histograms."""
        took = self.store.pace.took
        return {
            catalogue.CYCLE_S: {_ALONE: self.cycle.took},
            catalogue.STORE_S: {(part,): spread for part, spread in took.items()},
        }

    async def _owed(self) -> Mapping[Labels, float]:
        try:
            return {_ALONE: float(await self.store.ledger.owed())}
        except StoreError:  # the alarm says why
            return {}


def of_home(home: Snapshot) -> Values:
    """Return how devices and events stand, and whether the grid limits the home."""
    qualities = Counter(device.quality for device in home.devices)
    stages = Counter(event.state for event in home.events)
    return {
        catalogue.DEVICES: {(each.value,): float(qualities[each.value]) for each in Quality},
        catalogue.READING_AGE: {
            (each.id,): each.age_s for each in home.devices if each.age_s is not None
        },
        catalogue.EVENTS: {(stage,): float(stages[stage]) for stage in STAGES},
        catalogue.LIMITS: {
            ("import",): float(home.limit_import_w is not None),
            ("export",): float(home.limit_export_w is not None),
        },
    }


def of_decision(decision: Decision) -> Values:
    """Return by whose word bounds hold, and what gave way."""
    ranks = Counter(rank for target in decision.targets.values() for rank in _ranks(target.span))
    return {
        catalogue.BOUNDS: {(rank.name.lower(),): float(ranks[rank]) for rank in Rank},
        catalogue.GIVEN_WAY: {_ALONE: float(len(decision.refusals))},
    }


def of_links(home: Snapshot, offsets: Mapping[str, float], silences: Mapping[str, float]) -> Values:
    """Return how the utilities stand.

    Args:
        home: As it is now.
        offsets: Each server's time less the home's, s, by the utility's name.
        silences: Time since each server's last good answer, s, likewise; without those that
            never gave one.
    """
    states = Counter(link.state for link in home.utilities)
    return {
        catalogue.LINKS: {(state,): float(states[state]) for state in STATES},
        catalogue.CONTACT: {(name,): silent_s for name, silent_s in silences.items()},
        catalogue.OFFSET: {(name,): at for name, at in offsets.items() if name in silences},
    }


def of_files(store: Path) -> Values:
    """Return how large the store is, and how much room there is beside it; looks at the disk."""
    sizes: dict[Labels, float] = {}
    for name, path in (("store", store), ("log", store.with_name(f"{store.name}-wal"))):
        try:
            sizes[name,] = float(path.stat().st_size)
        except OSError:  # a store that is not made yet, or closed just now
            continue
    try:
        free: dict[Labels, float] = {_ALONE: float(shutil.disk_usage(store.parent).free)}
    except OSError:
        free = {}
    return {catalogue.STORE_BYTES: sizes, catalogue.FREE_BYTES: free}


def _ranks(span: Span) -> Iterator[Rank]:
    """Yield the rank of each edge that somebody set."""
    for edge in (span.lower_by, span.upper_by):
        if edge is not None:
            yield edge.rank
