"""From the utility accepting an event to the write that obeys it, on the whole line.

A head-end, a simulated house and the hub run as processes and speak over real sockets: mutual
TLS, Modbus TCP. Each event asks for another import limit, alternately tighter and looser, so that
each demands another set-point of the battery, the only means that the house is given. The time
runs from `accepted_at`, when the head-end had the event on its disk, to the instant at which the
battery accepted the set-point that the event demands. Three homes in turn: one that is notified,
one whose subscription the head-end refuses and that polls, and one that is notified and logs each
step (`hems run --verbose`), for the shares.
"""

import argparse
import asyncio
import random
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Final

from hems.commands.event import Event
from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.benchmarks.common import Figure, in_ms, latencies, parser, report
from tests.e2e.rig import Part, Rig, Write
from tests.waiting import until

HOUSE_W: Final = 4200.0
HOUSE: Final = (
    *("--fixed-load", f"{HOUSE_W:g}", "--pv-w", "0", "--start-hour", "10"),
    *("--tank-temp", "60", "--room-temp", "22", "--battery-kwh", "20", "--battery-soc", "0.9"),
)
"""Ten in the morning: the car is away and nothing heats, so that only the battery can obey; and
so much load that the hub, which must allow for the water heater, lets it come back in no event."""
TIGHT_W: Final = (700.0, 1200.0)
LOOSE_W: Final = (1700.0, 2200.0)
NEAR_W: Final = 120.0
"""A write obeys if it is this near to what the limit leaves, less the hub's margin."""
EVENT_S: Final = 4
SEED: Final = 2030
WITHIN_S: Final = 5.0
"""An event that is not obeyed by then counts as missed."""
SELDOM: Final = ("list_poll_s = 900", "dcap_poll_s = 900", "time_poll_s = 900", "post_rate_s = 10")
NEVER_POLLED: Final = ('poll_least = "900 s"',)
REFUSED: Final = 'notify_host = "127.0.0.2"'
"""Not the address that the hub calls from, so the head-end refuses the subscription."""


class _Answer(Part):
    notified_at: float | None


class _Event(Part):
    homes: list[_Answer]


@dataclass(frozen=True, slots=True)
class Reaction:
    """One event that was obeyed; times are UTC epoch seconds.

    Attributes:
        event: As the head-end accepted it.
        notified_at: When the head-end began to send it; None if it did not.
        obeyed_at: When the battery accepted the set-point.
    """

    event: Event
    notified_at: float | None
    obeyed_at: float

    @property
    def took_s(self) -> float:
        """From accepted to obeyed."""
        return self.obeyed_at - self.event.accepted_at


@dataclass(frozen=True, slots=True)
class Run:
    """What one home did with its events."""

    reactions: Sequence[Reaction]
    missed: int

    @property
    def took_s(self) -> list[float]:
        """All times from accepted to obeyed."""
        return [reaction.took_s for reaction in self.reactions]


class Dispatcher:
    """Dispatches events to a running stage and looks for the write that obeys each.

    Args:
        rig: The stage's hands and eyes.
        rng: Chooses limits and pauses, so that events fall on every phase of the hub's cycle.
        pause_s: Bounds of the pause between two events.
        within_s: Time after which an event counts as missed.
    """

    def __init__(
        self, rig: Rig, rng: random.Random, pause_s: tuple[float, float], within_s: float
    ) -> None:
        self._rig = rig
        self._rng = rng
        self._pause_s = pause_s
        self._within_s = within_s
        self._seen = 0

    async def run(self, events: int) -> Run:
        """Dispatch so many events."""
        await self._skip_writes()
        reactions: list[Reaction] = []
        for number in range(events):
            reaction = await self._one(LOOSE_W if number % 2 else TIGHT_W)
            if reaction is not None:
                reactions.append(reaction)
        return Run(reactions, events - len(reactions))

    async def _one(self, limits_w: tuple[float, float]) -> Reaction | None:
        limit_w = round(self._rng.uniform(*limits_w))
        event = await self._rig.dispatch(limit_import_w=limit_w, seconds=EVENT_S)
        # A pause first: looking at once and often would take the house's time to obey in.
        await asyncio.sleep(self._rng.uniform(*self._pause_s))
        deadline = event.accepted_at + self._within_s
        while True:
            obeyed = await self._obeying(event, limit_w)
            if obeyed is not None or time.time() > deadline:
                break
            await asyncio.sleep(0.2)
        if obeyed is None or obeyed.at > deadline:
            print(f"missed: {event.id}, a limit of {limit_w} W")
            return None
        answer = await self._rig.operator_get(f"/events/{event.id}")
        (home,) = _Event.model_validate_json(answer).homes
        return Reaction(event, home.notified_at, obeyed.at)

    async def _obeying(self, event: Event, limit_w: float) -> Write | None:
        """Return the first write since the event that sets what its limit leaves."""
        writes = [w for w in await self._rig.writes(self._seen) if w.device == "battery"]
        for write in writes:
            self._seen = write.number
            found = re.search(r"\bWSet=(-?[\d.]+)", write.values)
            if found is None or write.at < event.accepted_at:
                continue
            if abs(float(found[1]) - (HOUSE_W - limit_w)) <= NEAR_W:
                return write
        return None

    async def _skip_writes(self) -> None:
        self._seen = max((w.number for w in await self._rig.writes()), default=0)


def scene(
    utility: Sequence[str], *, list_poll_s: int | None = None, verbose: bool = False
) -> Scene:
    """Return the stage that a home is measured on."""
    headend = list(SELDOM)
    if list_poll_s is not None:
        headend[0] = f"list_poll_s = {list_poll_s}"
    hub = ("--verbose",) if verbose else ()
    return Scene(
        page_port=0, battery="hold", house=HOUSE, headend=headend, utility=utility, hub=hub
    )


async def measure(
    folder: Path, played: Scene, events: int, pause_s: tuple[float, float], within_s: float
) -> Run:
    """Run one home through its events."""
    notified = REFUSED not in played.utility
    async with Rig(Stage(folder, played)) as rig:
        await until(
            rig.home,
            lambda home: (
                home.utility.state == "connected"
                and abs((home.net_w or 0.0) - HOUSE_W) < NEAR_W
                and all(t.quality == "good" for t in home.devices)
            ),
            30.0,
            f"a connected home that draws {HOUSE_W:g} W",
        )
        if notified:
            await until(
                lambda: rig.operator_get("/homes"), lambda text: b"derc" in text, 15.0, "subscribed"
            )
        rng = random.Random(SEED)  # noqa: S311 - the same limits and pauses in each run
        return await Dispatcher(rig, rng, pause_s, within_s).run(events)


STEPS: Final = (
    ("headend", "", ""),
    ("tls_http", "hems.sep2.transport.listener", "a notification comes in"),
    ("xml", "hems.sep2.session", "a notification of"),
    ("ledger", "hems.sep2.book.engine", "in the ledger"),
    ("deciding", "hems.cem.station", "battery is to be told"),
    ("modbus", "", ""),
)
"""Each step of the way with the line in the hub's log that ends it; the first ends when the
head-end begins to send, the last when the battery accepts."""


def shares(log: str, reactions: Sequence[Reaction]) -> tuple[dict[str, float], dict[str, float]]:
    """Return each step's mean time in ms, and its share of the whole, from the hub's own log."""
    stamped = [_stamped(line) for line in log.splitlines()]
    lines = [(at, name, text) for at, name, text in stamped if at]
    spans: dict[str, list[float]] = {name: [] for name, _, _ in STEPS}
    for reaction in reactions:
        ends = _ends(lines, reaction)
        if ends is not None:
            for (name, _, _), (begin, end) in zip(STEPS, pairwise(ends), strict=True):
                spans[name].append(end - begin)
    means = {name: fmean(values) for name, values in spans.items()}
    whole = sum(means.values())
    return (
        {name: round(1000.0 * mean, 2) for name, mean in means.items()},
        {name: round(mean / whole, 3) for name, mean in means.items()},
    )


def _ends(lines: Sequence[tuple[float, str, str]], reaction: Reaction) -> list[float] | None:
    """Return the start and when each step ended; None if one of them is not in the log."""
    if reaction.notified_at is None:
        return None
    ends = [reaction.event.accepted_at, reaction.notified_at]
    for _, logger, words in STEPS[1:-1]:
        end = next(
            (
                at
                for at, name, text in lines
                if name == logger and words in text and ends[-1] <= at <= reaction.obeyed_at
            ),
            None,
        )
        if end is None:
            return None
        ends.append(end)
    return [*ends, reaction.obeyed_at]


def _stamped(line: str) -> tuple[float, str, str]:
    """Return a log line's stamp, logger and text; no stamp where it is none."""
    parts = line.split(" ", 3)
    if len(parts) < 4 or not re.fullmatch(r"\d+\.\d{6}", parts[0]):
        return 0.0, "", ""
    return float(parts[0]), parts[2], parts[3]


async def figures(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Measure everything."""
    poll_s = options.poll_s
    with tempfile.TemporaryDirectory(prefix="reaction-") as name:
        folder = Path(name)
        quick = (0.5, 1.0)
        told = await measure(
            folder / "notified", scene(NEVER_POLLED), options.events, quick, WITHIN_S
        )
        polled = await measure(
            folder / "polled",
            scene((f'poll_least = "{poll_s} s"', REFUSED), list_poll_s=poll_s),
            options.polled,
            (1.2 * poll_s, 2.4 * poll_s),
            3 * poll_s + WITHIN_S,
        )
        traced = await measure(
            folder / "traced", scene(NEVER_POLLED, verbose=True), options.traced, quick, WITHIN_S
        )
        log = (folder / "traced" / "hub.log").read_text(encoding="utf-8", errors="replace")
    spent_ms, share = shares(log, traced.reactions)
    return {
        **latencies("notify", told.took_s),
        **latencies("poll", polled.took_s),
        "events": options.events + options.polled,
        "notify_events": options.events,
        "poll_events": options.polled,
        "poll_rate_s": poll_s,
        "missed": told.missed + polled.missed + traced.missed,
        # The first notification of each home opens the TLS connection; the others find it open.
        "notify_first_ms": [in_ms(run.took_s[0]) for run in (told, traced) if run.took_s],
        "steps_mean_ms": spent_ms,
        "steps_share": share,
        "traced_events": options.traced,
        "traced_mean_ms": in_ms(fmean(traced.took_s)),
        "notify_mean_ms": in_ms(fmean(told.took_s)),
    }


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--events", type=int, default=200, help="events by notification")
    line.add_argument("--polled", type=int, default=30, help="events by polling")
    line.add_argument("--traced", type=int, default=50, help="events for the shares")
    line.add_argument("--poll-s", type=int, default=1, help="the head-end's poll rate, s")
    options = line.parse_args()
    report(
        "reaction",
        asyncio.run(figures(options)),
        requirements=["BUC-1", "PRO-2030.5"],
        headline=["notify_p50_ms", "notify_p99_ms", "poll_p99_ms", "events", "missed"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
