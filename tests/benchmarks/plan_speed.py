"""How long it takes to plan a home, beside EMHASS at a problem that both can express.

Eight problems: 24 h in slots of 15 min and 48 h in slots of 5 min, by time of use, with a dynamic
price, with prices below zero, and one that cannot be met. A battery of 10 kWh, a car that takes
nothing or at least 1.38 kW, two runs that are not to be interrupted, 9 kW of import and 5 kW of
export; the battery may feed the car, as with the peer. `build_ms` is from the problem's records to
the arrays handed over, `solve_ms` the search to a gap of 1e-4, `plan_ms` all of it, with the answer
written, checked and put in words. `cars_apart_plan_ms` is the same where batteries do not feed
cars, searched as closely as the hub does.

The problem for both is described by `plan_speed_cases.equal`. EMHASS runs in a process and an
environment of its own (`packaging/emhass`), has loaded all its modules and planned once before
anything is timed, and is timed from making its `Optimization` to its table of results, with HiGHS,
one thread and the same gap. Ours is timed from `Problem` to `Plan`. In each round the two take
turns. Both state their objective; the two are compared.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from hems.cem.planner.milp import appliances
from hems.cem.planner.milp.build import build
from hems.cem.planner.milp.frame import frame
from hems.cem.planner.milp.search import Effort, search
from hems.cem.planner.milp.solve import solve
from hems.cem.planner.planner import EFFORT
from hems.cem.planner.problem import Problem, Scenario
from tests.benchmarks.common import Figure, in_ms, parser, report
from tests.benchmarks.plan_speed_cases import HORIZONS, START, as_emhass, case, cases, equal

ROUNDS: Final = 9
GAP: Final = 1e-4
ROOT: Final = Path(__file__).resolve().parents[2]
SCENARIOS: Final = (1, 3, 5, 10)
EQUAL: Final = 1e-3
"""Relative difference of objectives within which two plans count as equally good."""


def measure(problem: Problem, rounds: int) -> tuple[dict[str, Figure], float]:
    """Return how long one problem takes, the median of some rounds, and what comes out.

    Beside the figures once more what all of it takes, ms.
    """
    build_s, solve_s, plan_s, again_s = [], [], [], []
    before = None
    for _ in range(rounds):
        started = time.perf_counter()
        shape = frame(problem)
        programme, _columns = build(shape, appliances.possible(shape))
        built = time.perf_counter()
        found = search(programme, Effort(gap=GAP), np.full(len(programme.cost), np.nan))
        searched = time.perf_counter()
        plan = solve(problem, START, gap=GAP)
        planned = time.perf_counter()
        solve(problem, START, gap=GAP, warm=before or plan)
        again_s.append(time.perf_counter() - planned)
        before = plan
        build_s.append(built - started)
        solve_s.append(searched - built)
        plan_s.append(planned - searched)
    assert found.best is not None
    figures: dict[str, Figure] = {
        "build_ms": in_ms(median(build_s)),
        "solve_ms": in_ms(median(solve_s)),
        "plan_ms": in_ms(median(plan_s)),
        "plan_warm_ms": in_ms(median(again_s)),
        "objective": round(found.best.objective, 6),
        "gap": float(f"{found.gap:.1e}"),
        "feasible": not plan.given_up and not plan.notes,
        "given_up": [f"{one.device} {one.words}: {one.because}".strip() for one in plan.given_up],
        "notes": list(plan.notes),
    }
    return figures, in_ms(median(plan_s))


def several(problem: Problem, count: int) -> Problem:
    """Return a problem with several ways in which load and sun may go, each as likely."""
    only, random = problem.scenarios[0], np.random.default_rng(11)
    factors = np.concatenate([[[1.0, 1.0]], random.uniform(0.5, 1.5, (count - 1, 2))])
    ways = (
        Scenario(
            1.0 / count,
            tuple(load * power for power in only.load_w),
            tuple(sun * power for power in only.sun_w),
        )
        for load, sun in factors.tolist()
    )
    return replace(problem, scenarios=tuple(ways))


def under_uncertainty(rounds: int) -> dict[str, Figure]:
    """Return what planning for several ways at once takes, by horizon and their number, ms."""
    measured: dict[str, Figure] = {}
    for horizon in HORIZONS:
        for count in SCENARIOS:
            problem = several(case(horizon, "dynamic"), count)
            times = []
            for _ in range(rounds):
                plan = solve(problem, START, gap=GAP)
                times.append(plan.took_s)
            measured[f"{horizon}-{count}"] = in_ms(median(times))
    return measured


def cars_apart(rounds: int) -> dict[str, Figure]:
    """Return what the same problems take where batteries do not feed cars, as the hub asks, ms."""
    measured: dict[str, Figure] = {}
    for name, problem in cases().items():
        apart = replace(problem, car_from_storage=False)
        plans = [
            solve(apart, START, gap=EFFORT["gap"], money=EFFORT["money"]) for _ in range(rounds)
        ]
        measured[name] = in_ms(median(plan.took_s for plan in plans))
    return measured


class Peer:
    """EMHASS in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def plan(self, problem: Problem) -> dict[str, Any]:
        """Have it plan a problem; returns what `emhass_peer` says."""
        assert self.process.stdin is not None
        print(json.dumps(as_emhass(problem)), file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Return its next answer.

        Raises:
            EOFError: It has ended.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise EOFError("EMHASS ended without an answer")
        answer: dict[str, Any] = json.loads(line)
        return answer


def installed(python: str | None) -> str | None:
    """Return the Python that has EMHASS, installed if need be; None, and say why, if it cannot."""
    if python:
        return python
    made = subprocess.run(
        [ROOT / "packaging" / "emhass"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        print(f"EMHASS cannot be installed, so it is not measured: {made.stderr.strip()[-300:]}")
        return None
    return made.stdout.strip()


@contextmanager
def running(python: str) -> Iterator[Peer]:
    """Run EMHASS until the end of the block."""
    process = subprocess.Popen(
        [python, ROOT / "tests" / "benchmarks" / "emhass_peer.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        peer = Peer(process)
        peer.answer()
        yield peer
    finally:
        process.kill()
        process.communicate()


def beside(peer: Peer, problem: Problem, rounds: int) -> dict[str, Figure]:
    """Plan one problem in turns; the first round is not counted."""
    ours, theirs, again = [], [], []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        plan = solve(problem, START, gap=GAP)
        ours.append(1000.0 * (time.perf_counter() - started))
        answer = peer.plan(problem)
        theirs.append(float(answer["ms"]))
        again.append(float(answer["again_ms"]))
    ours_ms, emhass_ms, again_ms = (median(times[1:]) for times in (ours, theirs, again))
    difference = abs(plan.objective - answer["objective"]) / abs(plan.objective)
    return {
        "ours_ms": round(ours_ms, 1),
        "ours_objective": round(plan.objective, 6),
        "emhass_ms": round(emhass_ms, 1),
        "emhass_again_ms": round(again_ms, 1),
        "emhass_objective": round(float(answer["objective"]), 6),
        "emhass_status": str(answer["status"]),
        "equal": difference <= EQUAL,
        "ratio": round(emhass_ms / ours_ms, 1),
        "ratio_again": round(again_ms / ours_ms, 1),
    }


def compare(python: str | None, rounds: int) -> Mapping[str, Figure]:
    """Return both horizons beside EMHASS; the longer one stands for both at the top."""
    empty: dict[str, Figure] = dict.fromkeys(
        ("ours_ms", "ours_objective", "emhass_ms", "emhass_again_ms", "emhass_objective", "ratio")
    )
    found = installed(python)
    if found is None:
        return {**empty, "equal_problems": None}
    with running(found) as peer:
        each = {horizon: beside(peer, equal(horizon), rounds) for horizon in HORIZONS}
    last = each[list(HORIZONS)[-1]]
    return {**empty, **{key: last[key] for key in empty}, "equal_problems": each}


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of each problem")
    line.add_argument("--peer-python", help="a Python that has EMHASS, in place of our own")
    options = line.parse_args()
    measured: dict[str, Figure] = {}
    plan_ms: dict[str, float] = {}
    for name, problem in cases().items():
        figures, plan_ms[name] = measure(problem, options.rounds)
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
        measured[name] = figures
    report(
        "plan-speed",
        {
            "cases": measured,
            "slowest_plan_ms": max(plan_ms.values()),
            "unmeetable_plan_ms": max(ms for name, ms in plan_ms.items() if "unmeetable" in name),
            "cars_apart_plan_ms": cars_apart(max(1, options.rounds // 3)),
            "scenarios_plan_ms": under_uncertainty(max(1, options.rounds // 3)),
            **compare(options.peer_python, options.rounds),
            "gap": GAP,
            "rounds": options.rounds,
        },
        requirements=["ROLE-CEM"],
        headline=["slowest_plan_ms", "unmeetable_plan_ms", "ours_ms", "emhass_ms", "ratio"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
