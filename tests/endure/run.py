"""A run of the simulated week: its processes one after the other, and what they came to."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.endure.gauge import Sample, within_s
from tests.endure.judge import (
    Finding,
    doubled,
    grown,
    held_more,
    lines_allowed,
    missed,
    planned_bytes,
    slope_a_day,
)
from tests.endure.limits import share
from tests.endure.measured import Measured
from tests.endure.plan import Plan, parts, planned

DEVICES: Final = 10
_LEAKED: Final = {"files": 4.0, "tasks": 4.0, "threads": 2.0}
"""By how much a warm process may have more of each at its end."""
_JUDGED_S: Final = 60.0
"""For so long a limit must have held at least, else nothing is known of limits."""
_LOST: Final = 0.03
"""Share of the minutes of which the store may know nothing, beside those of meter or disk away."""
_LEFT_OUT: Final = 0.03
"""Share of the time in which no cycle may turn: the software is replaced, the hub restarted."""


class PartError(Exception):
    """A process of the run ended before its time; `str()` is what it said."""


@dataclass(frozen=True, slots=True)
class Run:
    """How it is run.

    Attributes:
        days: How long.
        seed: Decides what chance decides.
        cycle_s: Period of the control cycle.
        trace: Whether to say where memory grows, which takes several times the time.
    """

    days: float
    seed: int
    cycle_s: float
    trace: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        findings: Its figures.
        wrong: What went wrong, one sentence each.
        told: What else is worth reading: what was logged, and alarms that stayed.
    """

    findings: tuple[Finding, ...]
    wrong: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether all is within its bounds."""
        return not self.wrong and all(finding.good for finding in self.findings)


def lived(run: Run, folder: Path) -> Outcome:
    """Live a run.

    Args:
        run: How.
        folder: An empty one, on a disk.

    Raises:
        PartError: One of its processes failed.
    """
    plan = planned(run.days, run.seed)
    found = [_process(run, folder, number) for number in range(len(parts(plan)))]
    return judged(run, plan, found)


def _process(run: Run, folder: Path, number: int) -> Measured:
    words = (folder, number, run.days, run.seed, run.cycle_s, *(["trace"] if run.trace else []))
    done = subprocess.run(
        [sys.executable, "-m", "tests.endure.part", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise PartError(f"process {number} of the run failed:\n{done.stderr}")
    made = json.loads((folder / f"part-{number}.json").read_text("utf-8"))
    lines = (folder / f"samples-{number}.jsonl").read_text("utf-8").splitlines()
    return Measured(**{**made, "samples": [Sample(**json.loads(each)) for each in lines]})


def judged(run: Run, plan: Plan, found: Sequence[Measured]) -> Outcome:
    """Return what a run came to; pure.

    Args:
        run: How it was run.
        plan: What it was to hold.
        found: What each of its processes measured, in order.
    """
    orders = {name: mrid for part in found for name, mrid in part.orders.items()}
    last: Mapping[str, list[int]] = found[-1].answers
    answers = {name: last.get(mrid, []) for name, mrid in orders.items()}
    due = {o.name: o.answers for o in plan.orders if o.starts_at + o.lasts_s < plan.ends_at - 600}
    came = {name: [n for p in found for n in p.came.get(mrid, ())] for name, mrid in orders.items()}
    held = any(o.limits_import and o.name in due for o in plan.orders)
    absent, twice = missed(due, answers), doubled(came)
    counts = [sum(each) for each in zip(*(part.cycles for part in found), strict=True)]
    longest = max(found, key=lambda part: part.ends_at - part.begins_at)
    lasted_s = longest.ends_at - longest.begins_at
    whole_s = sum(part.ends_at - part.begins_at for part in found)
    left_out = max(0.0, 1.0 - sum(counts) * run.cycle_s / whole_s)
    lost = max(0.0, 1.0 - found[-1].minutes * 60 / whole_s)
    away_s = sum(t.ends_at - t.begins_at for t in plan.troubles if t.loses_history)
    lines: Counter[str] = Counter()
    for part in found:
        lines.update(part.lines)
    kept_s, answered_s, broken_s, helpless_s = (
        sum(each)
        for each in zip(
            *((p.kept_s, p.answered_s, p.broken_s, p.helpless_s) for p in found), strict=True
        )
    )
    over_s = answered_s + broken_s + helpless_s
    planned_mb = planned_bytes(run.days, cycle_s=run.cycle_s, devices=DEVICES) / 1e6
    allowed = lines_allowed(run.days, len(plan.orders), len(plan.troubles))
    slopes = slope_a_day(longest.samples, lasted_s)
    findings = (
        Finding("days", run.days),
        Finding("devices", DEVICES),
        Finding("events", len(orders)),
        Finding("events_judged", len(due), at_least=1),
        Finding("faults", len(plan.troubles)),
        Finding("upgrades", len(found), at_least=2),
        Finding("missed_events", len(absent), 0),
        Finding("doubled_responses", len(twice), 0),
        Finding("limits_judged_s", _rounded(kept_s + over_s), at_least=_JUDGED_S if held else None),
        Finding("limits_over_share", _rounded(share(over_s, kept_s)), 0.05),
        Finding("limits_broken_share", _rounded(share(broken_s, kept_s + over_s - broken_s)), 0.01),
        Finding("limits_helpless_share", _rounded(share(helpless_s, kept_s + over_s - helpless_s))),
        Finding("cycles", sum(counts)),
        Finding("cycles_left_out_share", _rounded(left_out), _LEFT_OUT),
        Finding("cycle_p50_s", _rounded(within_s(counts, 0.5))),
        Finding("cycle_p99_s", _rounded(within_s(counts, 0.99))),
        Finding("cycle_p999_s", _rounded(within_s(counts, 0.999)), 1.5),
        Finding("cycle_longest_s", _rounded(max(part.longest_s for part in found))),
        # Of less than a day nothing is known but how far a process grows until it is warm.
        Finding("rss_slope_mb_a_day", _rounded(slopes), 1.0 if lasted_s >= 2 * 86400 else None),
        Finding("rss_mb", _rounded(max(s.rss_mb for p in found for s in p.samples))),
        Finding("planner_mb", _rounded(max(s.planner_mb for p in found for s in p.samples))),
        *(
            Finding(f"{what}_leaked", grown(longest.samples, what, lasted_s), most)
            for what, most in _LEAKED.items()
        ),
        Finding("store_mb", _rounded(found[-1].store_bytes / 1e6), _rounded(planned_mb)),
        Finding("history_lost_share", _rounded(lost), _rounded(_LOST + away_s / whole_s)),
        Finding("log_lines", sum(lines.values()), allowed),
        Finding("faults_logged", sum(sum(part.faults.values()) for part in found), 0),
        Finding("alarms_left", len(found[-1].alarms), 0),
        Finding("took_s", _rounded(sum(part.took_s for part in found))),
    )
    wrong = (*(f"missed: {each}" for each in absent), *(f"doubled: {each}" for each in twice))
    told = (
        *(each for part in found for each in part.breaches),
        *(f"alarm: {each}" for each in found[-1].alarms),
        *(f"fault: {n} x {text}" for part in found for text, n in part.faults.items()),
        *(f"log: {count} x {text}" for text, count in lines.most_common(12)),
        *(f"grown: {each}" for each in longest.grown),
        *(f"more: {each}" for each in held_more(longest.samples, lasted_s)),
    )
    return Outcome(findings, wrong, told)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
