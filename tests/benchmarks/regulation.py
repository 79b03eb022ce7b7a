"""Frequency regulation through its real process and sockets: how soon, how evenly, how well.

Three parts, each in a simulated house in a process of its own (`make bench BENCH=regulation`):

- steps: the frequency jumps again and again, at moments of chance. The reaction is taken twice:
  outside, from the instant at which the inverter's register shows the new frequency to its next
  accepted write; and in the loop's own stamps, from the measurement before the one that led to a
  write to the confirmed write, which is what the worst moment for a step would have seen.
- course: a frequency a second with a loss of generation in it, made after published statistics
  (`der.sim.physics.frequency`), answered by droop.
- signal: one like PJM's RegD, every two seconds through a real broker.

The score is that of `programs.score`, from what was asked and what the meter truly showed.
"""

import argparse
import asyncio
import json
import math
import random
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter

from der.sim.physics.frequency import NOMINAL_HZ, Course, Loss, synthesised
from hems.regulation.settings import Source
from hems.regulation.timing import Timing
from programs.frequency import droop_w
from programs.score import SAMPLE_S, Sample, Score, score
from tests.benchmarks.common import Figure, in_ms, parser, percentile, report
from tests.hems.regulation.rig import STEEP, House, Hub, house, hub, settings
from tests.mqtt.broker import mosquitto

SEED: Final = 7
CAPACITY_W: Final = 2000.0
LOAD_W: Final = 500.0
SIGNAL_S: Final = 2.0
TOPIC: Final = "regulation/home"


class _Write(BaseModel):
    device: str
    monotonic: float


class _Sample(BaseModel):
    at: float
    meter_w: float


_WRITES: Final = TypeAdapter(list[_Write])
_TRACE: Final = TypeAdapter(list[_Sample])


async def main_figures(steps: int, seconds: int) -> Mapping[str, Figure]:
    """Return all figures.

    Args:
        steps: How often the frequency jumps.
        seconds: How long course and signal are.
    """
    found = dict(await step_figures(steps))
    for part in await asyncio.gather(course_figures(seconds), signal_figures(seconds)):
        found |= part
    return found


async def step_figures(steps: int) -> Mapping[str, Figure]:
    """Return how soon the battery is told, and how evenly the loop runs."""
    rng = random.Random(SEED)  # noqa: S311 - moments of chance, not secrets
    async with _regulating() as (at, made):
        began: list[float] = []
        for step in range(steps):
            hz = NOMINAL_HZ + (0.25 if step % 2 else -0.25)
            answer = await at.post("frequency", values=[hz])
            began.append(answer["monotonic"])
            await asyncio.sleep(rng.uniform(0.25, 0.45))
        seen = shown(began, await _trace(at))
        writes = _WRITES.validate_python(await at.get("writes"))
        outside = reactions(seen, [w.monotonic for w in writes if w.device == "battery"])
        timing: Timing = made.regulation.timing
        return {
            "steps": len(outside),
            **_latencies("reaction", outside),
            **_latencies("reaction_worst_moment", [*timing.reactions]),
            **_latencies("jitter", [*timing.jitters]),
            "measurements": len(timing.jitters),
            "priority": made.regulation.priority,
        }


async def course_figures(seconds: int) -> Mapping[str, Figure]:
    """Return how well droop follows a frequency with a loss of generation in it."""
    values = synthesised(SEED, seconds, [Loss(at_s=seconds / 3)])
    async with _regulating() as (at, made):
        before = await _charge(at)
        began = (await at.post("frequency", values=values, period_s=1.0))["monotonic"]
        course = Course(values, 1.0, began)

        def asked(moment: float) -> float:
            hz = Course(course.values, course.period_s, began, lambda: moment).hz
            return droop_w(hz, STEEP, NOMINAL_HZ, CAPACITY_W)

        await asyncio.sleep(seconds)
        found = _scored(await _trace(at), asked, lambda _: 0.0, began, seconds)
        return {
            "course_s": seconds,
            "course_lowest_hz": round(min(values), 3),
            **_score("course", found),
            "course_soc_drift": round(await _charge(at) - before, 4),
            "course_overruns": made.cycle.overruns,
        }


async def signal_figures(seconds: int) -> Mapping[str, Figure]:
    """Return how well a signal is followed, and where the charge goes meanwhile."""
    values = regd_like(SEED, seconds)
    with tempfile.TemporaryDirectory() as folder:
        async with mosquitto(Path(folder)) as broker, broker.client() as aggregator:
            source = Source(broker.settings, TOPIC)
            async with _regulating(source) as (at, made):
                await asyncio.sleep(1.0)
                before, bases = await _charge(at), [(time.monotonic(), 0.0)]
                began = time.monotonic()
                for number, value in enumerate(values):
                    words = {"seq": number, "at": time.time(), "value": value}
                    await aggregator.publish(TOPIC, json.dumps(words))
                    bases.append((time.monotonic(), _base_w(made)))
                    due = began + (number + 1) * SIGNAL_S
                    await asyncio.sleep(max(due - time.monotonic(), 0.0))

                def asked(moment: float) -> float:
                    index = int((moment - began) / SIGNAL_S)
                    return -values[min(index, len(values) - 1)] * CAPACITY_W

                def base(moment: float) -> float:
                    index = max(bisect_left(bases, (moment, math.inf)) - 1, 0)
                    return LOAD_W + bases[index][1]

                found = _scored(await _trace(at), asked, base, began, seconds)
                return {
                    "signal_s": seconds,
                    "signal_mileage": round(sum(abs(b - a) for a, b in pairwise(values)), 1),
                    **_score("signal", found),
                    "signal_soc_drift": round(await _charge(at) - before, 4),
                }


def regd_like(seed: int, seconds: int) -> Sequence[float]:
    """Return a signal with the character of PJM's RegD: fast, neutral in energy, often at its ends.

    Noise with a memory of half a minute, less its own mean of the last quarter of an hour, cut at
    -1 and 1; one value for each two seconds.
    """
    rng = random.Random(f"{seed}/regd")  # noqa: S311 - a signal, not a secret
    keep = math.exp(-SIGNAL_S / 30.0)
    values: list[float] = []
    state = mean = 0.0
    for _ in range(int(seconds / SIGNAL_S)):
        state = keep * state + rng.gauss(0.0, math.sqrt(1 - keep * keep))
        mean += (state - mean) * SIGNAL_S / 900.0
        values.append(min(max(state - mean, -1.0), 1.0))
    return values


@asynccontextmanager
async def _regulating(source: Source | None = None) -> AsyncIterator[tuple[House, Hub]]:
    """Run a house and a hub that regulates."""
    droop = STEEP if source is None else None
    agreed = settings(droop=droop, source=source, capacity_w=CAPACITY_W)
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as at, hub(at, agreed) as made:
            await at.post("load", base_w=LOAD_W)
            await at.post("frequency", values=[NOMINAL_HZ])
            await made.until()
            await asyncio.sleep(3.0)
            yield at, made


async def _trace(at: House) -> Sequence[tuple[float, float]]:
    """Return the meter's true power, (monotonic s, W)."""
    ahead_s = time.time() - time.monotonic()
    return [(s.at - ahead_s, s.meter_w) for s in _TRACE.validate_python(await at.get("trace"))]


def shown(began: Sequence[float], trace: Sequence[tuple[float, float]]) -> Sequence[float]:
    """Return when the house showed each step: at its first own step after it."""
    times = [at for at, _ in trace]
    places = (bisect_left(times, at) for at in began)
    return [times[place] for place in places if place < len(times)]


def reactions(shown: Sequence[float], writes: Sequence[float]) -> list[float]:
    """Return the time from each step to the next write of the battery."""
    places = ((at, bisect_left(writes, at)) for at in shown)
    return [writes[place] - at for at, place in places if place < len(writes)]


def _scored(
    trace: Sequence[tuple[float, float]],
    asked: Callable[[float], float],
    base: Callable[[float], float],
    began: float,
    seconds: int,
) -> Score | None:
    """Return the score of the meter's power beyond the base against what was asked."""
    samples: list[Sample] = []
    for number in range(int(seconds / SAMPLE_S)):
        start = began + number * SAMPLE_S
        part = [(at, w) for at, w in trace if start <= at < start + SAMPLE_S]
        if part:
            samples.append(
                Sample(
                    sum(asked(at) for at, _ in part) / len(part) / CAPACITY_W,
                    sum(w - base(at) for at, w in part) / len(part) / CAPACITY_W,
                )
            )
    return score(samples)


def _base_w(made: Hub) -> float:
    order = made.cycle.allocation.orders.get("battery")
    return 0.0 if order is None or order.setpoint is None else order.setpoint.power_w


async def _charge(at: House) -> float:
    state = await at.get("state")
    assert isinstance(state, dict)
    return float(state["house"]["soc"])


def _latencies(prefix: str, seconds: Sequence[float]) -> dict[str, Figure]:
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {f"{prefix}_{n}_ms": in_ms(percentile(seconds, share)) for n, share in shares.items()}


def _score(prefix: str, found: Score | None) -> dict[str, Figure]:
    if found is None:
        return {f"{prefix}_score": None}
    return {
        f"{prefix}_score": round(found.total, 4),
        f"{prefix}_correlation": round(found.correlation, 4),
        f"{prefix}_delay": round(found.delay, 4),
        f"{prefix}_precision": round(found.precision, 4),
    }


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--steps", type=int, default=1000, help="jumps of the frequency")
    line.add_argument("--seconds", type=int, default=590, help="length of course and signal")
    options: argparse.Namespace = line.parse_args()
    report(
        "regulation",
        asyncio.run(main_figures(options.steps, options.seconds)),
        requirements=["BUC-3"],
        headline=[
            "reaction_p50_ms",
            "reaction_p99_ms",
            "reaction_p999_ms",
            "reaction_worst_moment_p999_ms",
            "jitter_p999_ms",
            "course_score",
            "signal_score",
            "signal_soc_drift",
        ],
        record=options.record,
    )


if __name__ == "__main__":
    main()
