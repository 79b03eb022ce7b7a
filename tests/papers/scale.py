"""What fleets of any size take, reckoned from what the head-end's benchmark has measured.

`python -m tests.papers.scale` (`make scale`) writes the tables of `docs/scale.md` anew from
`docs/figures/headend.json`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from tests.benchmarks.common import recorded
from tests.traceability import ROOT

PAGE: Final = ROOT / "docs" / "scale.md"
BEGIN: Final = "<!-- reckoned: make scale -->"
END: Final = "<!-- end of what is reckoned -->"
SIZES: Final = (10_000, 100_000, 1_000_000, 10_000_000)

_DAY_S: Final = 86400.0
_BUSY: Final = 0.5
"""Share of a core that is planned with: the rest is for evenings, restarts and what dies."""
_GIB: Final = 2**20
"""KiB in one."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What a home does in a day: assumed, and to be replaced by a fleet's own numbers.

    Attributes:
        polls: Rounds of reading what it is not told of.
        lists: Lists in a round, beside one Time.
        posts: Readings posted, one request each.
        events: Events that reach it, each notified and answered.
        answers: Responses to each.
        connections: Made anew.
        kept_days: Days for which each post is kept as it came.
        thin_days: Days for which quarters of an hour are kept after that.
    """

    polls: int = 96
    lists: int = 4
    posts: int = 288
    events: int = 2
    answers: int = 3
    connections: int = 2
    kept_days: int = 2
    thin_days: int = 395


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured of one worker.

    Attributes:
        time_ms: Processor time of a request for Time.
        list_ms: The same of a list of ten controls.
        post_ms: Of a post.
        told_ms: Of a notification over a session that is taken up again.
        connect_ms: Of a connection that a home makes.
        held_kb: Memory for a connection, KiB.
        known_kb: Memory for a home that every worker of its shard knows, KiB.
        row_octets: Of a reading on the disk.
        list_octets: Of a list of ten controls on the wire.
        told_per_s: Notifications of one worker.
        posts_per_s: Posts that one database has taken.
    """

    time_ms: float
    list_ms: float
    post_ms: float
    told_ms: float
    connect_ms: float
    held_kb: float
    known_kb: float
    row_octets: float
    list_octets: float
    told_per_s: float
    posts_per_s: float


@dataclass(frozen=True, slots=True)
class Need:
    """What a fleet takes.

    Attributes:
        homes: Its size.
        requests_per_s: Of all homes, in the mean.
        cores: For workers.
        memory_gib: For connections and for what workers know.
        shards: Databases, by the posts that each must take.
        stored_gib: Readings of all days.
        out_mbit_s: Sent to homes.
        told_s: Until the last home of an event for all has been told.
    """

    homes: int
    requests_per_s: float
    cores: int
    memory_gib: float
    shards: int
    stored_gib: float
    out_mbit_s: float
    told_s: float


def costs_of(figures: Mapping[str, Any]) -> Costs:
    """Read what was measured: with PostgreSQL, but for what the size of the fleet adds.

    Raises:
        KeyError: The figures are not of a whole run.
    """
    row = figures["rows"]["postgresql-1"]
    fleets = list(figures["fleet"].items())
    (_, small), (homes, large) = fleets[0], fleets[-1]
    more = float(homes) - float(fleets[0][0])
    return Costs(
        time_ms=row["time_cpu_ms"],
        list_ms=row["derc_cpu_ms"],
        post_ms=row["mmr_cpu_ms"],
        told_ms=row["fanout_resumed_cpu_ms"],
        connect_ms=row["hold_cpu_ms"],
        held_kb=row["rss_per_home_kb"],
        known_kb=1024.0 * (large["rss_mb"] - small["rss_mb"]) / more,
        row_octets=1e6 * (large["database_mb"] - small["database_mb"]) / more / figures["readings"],
        list_octets=row["derc_octets"],
        told_per_s=row["homes_held"] / row["fanout_10k_s"],
        posts_per_s=max(each["mmr_rps"] for each in figures["rows"].values()),
    )


def need_of(homes: int, costs: Costs, habits: Habits) -> Need:
    """Return what a fleet takes.

    Args:
        homes: Its size.
        costs: What was measured of one worker.
        habits: What its homes do.
    """
    posts = habits.posts + habits.events * habits.answers
    asked = habits.polls * (1 + habits.lists)
    cpu_ms = (
        habits.polls * (costs.time_ms + habits.lists * costs.list_ms)
        + posts * costs.post_ms
        + habits.events * costs.told_ms
        + habits.connections * costs.connect_ms
    )
    cores = max(1, math.ceil(homes * cpu_ms / 1000.0 / _DAY_S / _BUSY))
    shards = max(1, math.ceil(homes * posts / _DAY_S / (_BUSY * costs.posts_per_s)))
    known = math.ceil(cores / shards) * homes * costs.known_kb
    rows = habits.kept_days * habits.posts + habits.thin_days * _DAY_S / 900.0
    octets = (habits.polls * habits.lists + habits.events) * costs.list_octets
    return Need(
        homes,
        round(homes * (posts + asked) / _DAY_S, 1),
        cores,
        round((homes * costs.held_kb + known) / _GIB, 1),
        shards,
        round(homes * rows * costs.row_octets / 2**30, 1),
        round(homes * octets * 8 / _DAY_S / 1e6, 1),
        round(homes / (cores * costs.told_per_s), 1),
    )


def render(costs: Costs, habits: Habits, sizes: Sequence[int] = SIZES) -> str:
    """Return the tables as Markdown."""
    lines = [BEGIN, "| a home does in a day | |", "|---|---|"]
    lines += [f"| {_said(name)} | {getattr(habits, name)} |" for name in _names(Habits)]
    lines += ["", "| measured of one worker | |", "|---|---|"]
    lines += [f"| {_said(name)} | {getattr(costs, name):,.4g} |" for name in _names(Costs)]
    needs = [need_of(size, costs, habits) for size in sizes]
    lines += ["", "| | " + " | ".join(f"{need.homes:,} homes" for need in needs) + " |"]
    lines.append("|---" * (len(needs) + 1) + "|")
    for name in _names(Need)[1:]:
        row = " | ".join(f"{getattr(need, name):,}" for need in needs)
        lines.append(f"| {_said(name)} | {row} |")
    return "\n".join([*lines, END])


def of_last_run(figures: Mapping[str, Any]) -> str:
    """Return the tables of what was recorded last, or that nothing was."""
    if not figures:
        return f"{BEGIN}\nNo whole run has been recorded yet: the tables are still to come.\n{END}"
    return render(costs_of(figures), Habits())


def placed(page: str, tables: str) -> str:
    """Return a page with its tables replaced.

    Raises:
        ValueError: It has no place for them.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return before + tables + after


_UNITS: Final = {
    "ms": "ms of processor",
    "kb": "KiB",
    "gib": "GiB",
    "mbit_s": "Mbit/s",
    "per_s": "a second",
    "octets": "octets",
    "days": "days",
    "s": "s",
}


def _said(name: str) -> str:
    """Return a field's name in words, with its unit: `list_ms` is "list, ms of processor"."""
    for ending, unit in _UNITS.items():
        if name.endswith(f"_{ending}"):
            return f"{name.removesuffix(f'_{ending}').replace('_', ' ')}, {unit}"
    return name.replace("_", " ")


def _names(kind: type[Habits | Costs | Need]) -> list[str]:
    return [field.name for field in fields(kind)]


if __name__ == "__main__":
    made = of_last_run(recorded("headend"))
    PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
