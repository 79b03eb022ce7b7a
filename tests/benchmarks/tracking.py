"""How closely net power is kept to a limit: the product, a plain PI controller, and evcc's rules.

The home of `tracking_home.py` goes through an hour under each of three limits, second by second:

- `zero_export`: nothing may be fed in. A roof of 6 kW under broken clouds, a battery that is full
  before long, a car that charges from what the sun leaves over.
- `import_1500`: the utility asks for 1.5 kW of import at most. Some sun, a car that would take
  7.4 kW.
- `phase_3000`: a breaker that carries 3 kW on each of three phases. A car on phase A that would
  take 7.4 kW, a battery and a roof on all three.

The house draws what the simulated house draws: kettle, oven, dishwasher and the rest, and noise.
All controllers meet the same hours, the same devices and the same readings; each hour is drawn from
a seed, and the medians over the seeds are what counts. Time is virtual.

| figure | meaning |
|---|---|
| `rms_w` | root mean square of what is beyond the limit |
| `overshoot_wh` | energy beyond the limit in the hour |
| `seconds_out` | time beyond it by more than 50 W |
| `seconds_any` | time beyond it by anything |
| `moves_per_h` | set-points told that differ from the one before |
| `fights` | spells of 5 s and more in which the battery feeds the car though no limit needs that |
| `car_wh` | what the car was charged with |

The PI controller aims as far inside the limit as the product does (`pi`), and, as a margin buys
time at the price of what the limit allows, also three times as far (`pi_wide`).

`unavoidable` is what a controller could not avoid that knows everything at once, decides each tenth
of a second and does not know what is to come, with the same devices and the same margin.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Final, Protocol

from programs.economy import EconomyPolicy
from programs.envelope import EnvelopePolicy
from programs.registry import Policies
from programs.safety import SafetyPolicy
from programs.signal import Signal, SignalKind
from tests.benchmarks.common import Figure, parser, report
from tests.benchmarks.tracking_home import (
    CAR,
    HOUR_S,
    STEP_S,
    STEPS_PER_S,
    T0,
    Home,
    Setting,
    trace,
)
from tests.benchmarks.tracking_known import Known
from tests.benchmarks.tracking_ours import Ours
from tests.benchmarks.tracking_peers import (
    Aim,
    Evcc,
    Gains,
    Pi,
    surplus_a,
    under_current_a,
    under_power_a,
)

SEEDS: Final = tuple(range(101, 112))
TUNING_SEEDS: Final = (91, 92, 93)
"""Hours on which the PI controller's gains are chosen, and nothing is measured."""
KPS: Final = (0.0, 0.3, 0.6)
KIS: Final = (0.2, 0.3, 0.45, 0.6)
"""Greater gains do better in some homes and swing in those with a slower battery."""
WIDE_W: Final = 150.0
"""A margin with which the PI controller is measured, too: three times that of the others."""
MARGIN_W: Final = 50.0
TOLERANCE_W: Final = 50.0
IMPORT_W: Final = 1_500.0
PHASE_W: Final = 3_000.0
SETTLE_S: Final = 30
"""The first seconds, in which controllers find their feet, do not count."""
FIGHT_W: Final = 200.0
INSIDE_W: Final = 500.0
"""Net power this far inside the limit does not need the battery's help."""
FIGHT_S: Final = 5.0


class Controller(Protocol):
    """Whoever runs a home."""

    def act(self, home: Home) -> None:
        """Decide and write, if it is time to; called each tenth of a second."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What is to be kept.

    Attributes:
        power_w: The limit.
        export: Whether net power is to stay above it; else below.
    """

    power_w: float
    export: bool = False

    def beyond_w(self, net_w: Sequence[float]) -> float:
        """Return by how much the worst phase is beyond the limit; negative inside."""
        if self.export:
            return self.power_w - min(net_w)
        return max(net_w) - self.power_w


@dataclass(frozen=True, slots=True)
class Task:
    """One limit and the home that keeps it."""

    name: str
    setting: Setting
    limit: Limit
    ours: Callable[[], Controller]
    pi: Callable[[Gains], Controller]
    evcc: Callable[[Gains], Controller]


@dataclass(frozen=True, slots=True)
class Score:
    """How one hour went; see the module's table."""

    rms_w: float
    overshoot_wh: float
    seconds_out: float
    seconds_any: float
    moves_per_h: float
    fights: float
    car_wh: float


def _zero_export() -> Controller:
    solar = EconomyPolicy(solar=frozenset({CAR.id}))
    return Ours(Policies(envelope=EnvelopePolicy(fixed_export_w=0.0), economy=solar))


def _import() -> Controller:
    event = Signal(
        "event", "peak", SignalKind.IMPORT_LIMIT, IMPORT_W, T0 - 1, T0 + 2 * HOUR_S, binding=True
    )
    return Ours(signals=(event,))


def _phase() -> Controller:
    return Ours(Policies(safety=SafetyPolicy(PHASE_W / 230.0, 230.0, 3)))


def _alone(gains: Gains, *moves: str) -> Pi:
    """Return an inverter that brings the meter to zero, or just above."""
    return Pi(gains, Aim(gains.margin_w, export=True), moves)


TASKS: Final = (
    Task(
        "zero_export",
        Setting(sun_w=5_500.0, load_wh=900.0, soc=0.9),
        Limit(0.0, export=True),
        _zero_export,
        lambda gains: _alone(gains, "battery", "car", "pv"),
        lambda gains: Evcc(_alone(gains, "battery", "pv"), surplus_a, solar=True),
    ),
    Task(
        "import_1500",
        Setting(sun_w=1_500.0, load_wh=1_000.0, soc=0.6),
        Limit(IMPORT_W),
        _import,
        lambda gains: Pi(gains, Aim(IMPORT_W - gains.margin_w), ("battery", "car")),
        lambda gains: Evcc(_alone(gains, "battery"), under_power_a(IMPORT_W), solar=False),
    ),
    Task(
        "phase_3000",
        Setting(sun_w=3_000.0, load_wh=1_500.0, phases=3, soc=0.6),
        Limit(PHASE_W),
        _phase,
        lambda gains: Pi(gains, Aim(PHASE_W - gains.margin_w, phases=3), ("battery", "car")),
        lambda gains: Evcc(_alone(gains, "battery"), under_current_a(PHASE_W / 230), solar=False),
    ),
)


def run(task: Task, controller: Controller, seed: int) -> Score:
    """Let a controller run the task's home for an hour."""
    home = Home(task.setting, trace(task.setting, seed), seed)
    squares = beyond_ws = feeding_s = 0.0
    out = anyway = fights = moves = 0
    while not home.over:
        controller.act(home)
        home.pass_step()
        if home.step <= SETTLE_S * STEPS_PER_S:
            moves = home.told_moves
            continue
        beyond_w = task.limit.beyond_w(home.net_w)
        if beyond_w > 0:
            squares += beyond_w**2
            beyond_ws += beyond_w * STEP_S
            anyway += 1
            out += beyond_w > TOLERANCE_W
        before_s, feeding_s = feeding_s, feeding_s + STEP_S if _feeds_car(home, beyond_w) else 0.0
        fights += before_s < FIGHT_S <= feeding_s
    steps = home.step - SETTLE_S * STEPS_PER_S
    hours = steps * STEP_S / HOUR_S
    return Score(
        math.sqrt(squares / steps),
        beyond_ws / HOUR_S,
        out * STEP_S,
        anyway * STEP_S,
        (home.told_moves - moves) / hours,
        fights,
        home.car_energy_wh,
    )


def _feeds_car(home: Home, beyond_w: float) -> bool:
    """Return whether the battery feeds the car, and net power is well inside the limit."""
    house_w = max(sum(home.net_w) - home.battery.power_w - home.car.power_w, 0.0)
    into_car_w = min(-home.battery.power_w - house_w, home.car.power_w)
    return into_car_w > FIGHT_W and beyond_w < -INSIDE_W


def medians(scores: Sequence[Score]) -> dict[str, float]:
    """Return the median of each figure."""
    return {
        field.name: round(median(getattr(s, field.name) for s in scores), 1)
        for field in fields(Score)
    }


def tuned(task: Task, margin_w: float) -> Gains:
    """Return the PI controller's best gains for a task: the least time out of bounds."""

    def out_s(gains: Gains) -> float:
        return sum(run(task, task.pi(gains), seed).seconds_out for seed in TUNING_SEEDS)

    return min((Gains(kp, ki, margin_w) for kp in KPS for ki in KIS), key=out_s)


def measure(task: Task, seeds: Sequence[int]) -> Mapping[str, Figure]:
    """Return the figures of one task."""
    gains, wide = tuned(task, MARGIN_W), tuned(task, WIDE_W)
    makers: Mapping[str, Callable[[], Controller]] = {
        "ours": task.ours,
        "pi": lambda: task.pi(gains),
        "evcc_rules": lambda: task.evcc(gains),
        "pi_wide": lambda: task.pi(wide),
        "unavoidable": lambda: Known(task.limit.power_w, MARGIN_W, export=task.limit.export),
    }
    found: dict[str, Figure] = {}
    for name, make in makers.items():
        figures = medians([run(task, make(), seed) for seed in seeds])
        found[name] = figures
        print(task.name, name, figures)
    for name, chosen in {"pi_gains": gains, "pi_wide_gains": wide}.items():
        found[name] = {"kp": chosen.kp, "ki": chosen.ki, "margin_w": chosen.margin_w}
    peers_s = min(_seconds_out(found, name) for name in ("pi", "evcc_rules"))
    found["share_of_better_peer"] = round(_seconds_out(found, "ours") / peers_s, 3)
    return found


def _seconds_out(found: Mapping[str, Figure], name: str) -> float:
    figures = found[name]
    if not isinstance(figures, Mapping) or not isinstance(seconds := figures["seconds_out"], float):
        raise TypeError(f"no seconds out of bounds of {name}")
    return seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Run all tasks and report."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    chosen = options.parse_args(argv)
    figures: dict[str, Figure] = {}
    for task in TASKS:
        measured = measure(task, chosen.seeds)
        figures[task.name] = measured
        figures[f"{task.name}_share"] = measured["share_of_better_peer"]
    report(
        "tracking",
        figures,
        requirements=("ROLE-CEM", "BUC-1", "BUC-11"),
        headline=[f"{task.name}_share" for task in TASKS],
        record=chosen.record,
    )


if __name__ == "__main__":
    main()
