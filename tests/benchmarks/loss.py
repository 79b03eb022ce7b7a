"""The hub is killed in the middle of events: each device's safe state, and the way back.

Several whole lines run side by side, each a head-end, a simulated house and a hub as processes on
real sockets. Again and again an event is dispatched, the hub is ended by SIGKILL at a random point
of it, and the devices' true powers are watched at the house's own door, by nobody's word but the
house's, until each has been let go by what it brings along. Then the hub is started again.

A kill is at T and its event ends at E. Safe is, by device (`Rule`):

- the battery (SunSpec, reversion timer): stands still from T + 30 s on, however it was driven;
- the charger (OCPP 1.6, fallback profile): offers no more than it did while the event lasts, and
  the 6 A of its fallback from E + 10 s on, never more than that;
- the roof (SunSpec, reversion timer), the water heater (a mapped relay board with a hold time) and
  the heat pump (a bare relay, which nothing but the guard process ends): what was held stays held
  while the event lasts, and runs by its own control from the reversion time on, which is E + 10 s,
  or T + 40 s where it only waited for its turn to come back.

Each gets `SLACK_S` for the ramps of the devices and for being looked at. Back under control is a
hub that reads all devices well and has told the battery something, since it was started again.
"""

import argparse
import asyncio
import random
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import tomli_w

from certs.pki import Pki
from hems.cem.policy import AllocatorPolicy
from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.benchmarks.common import Figure, parser, percentile, report
from tests.e2e.rig import Home, Part, Rig
from tests.waiting import until

PV_W: Final = 2500.0
HOUSE: Final = (
    *("--fixed-load", "600", "--pv-w", f"{PV_W:g}", "--battery-kwh", "30", "--battery-soc", "0.7"),
    *("--ev-soc", "0.1", "--ev-max-a", "16", "--ev-leave-hour", "7.5", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "20", "--room-temp", "14"),
)
"""A house in which everything wants to run for as long as the kills last."""
EVENTS: Final = (
    {"limit_import_w": 2500.0},
    {"limit_import_w": 600.0, "limit_generation_w": 500.0},
    {"limit_import_w": 600.0},
)
"""The battery carries it; it may not; it cannot carry all."""
EVENT_S: Final = 20
SLACK_S: Final = 4.0
SEE_S: Final = 0.25
FALLBACK_W: Final = 1380.0
NEAR_W: Final = 60.0
POLICY: Final = AllocatorPolicy()
SPREAD_S: Final = 3.0
"""Between the starts of two lines, so that they don't start their processes all at once."""


class _Flow(Part):
    power_w: float


class _Powers(Part):
    pv: _Flow
    battery: _Flow
    ev: _Flow
    water_heater: _Flow
    heat_pump: _Flow


class _Charger(Part):
    limit_w: float | None


class Seen(Part):
    """What the house's door shows.

    Attributes:
        at: UTC epoch seconds.
        house: True powers, W, consumption positive.
        charger: What it offers; None for no limit at all.
    """

    at: float
    house: _Powers
    charger: _Charger

    def power_w(self, device: str) -> float:
        """Return a device's true power."""
        flow: _Flow = getattr(self.house, device)
        return flow.power_w

    @property
    def offered_w(self) -> float:
        """What the charger offers."""
        return float("inf") if self.charger.limit_w is None else self.charger.limit_w


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill of the hub.

    Attributes:
        at: UTC epoch seconds.
        ends_at: When its event ends.
        before: What the devices did when the last words had arrived.
        seen: What they did from then on.
    """

    at: float
    ends_at: float
    before: Seen
    seen: Sequence[Seen]

    @property
    def restricted_until(self) -> float:
        """When what a dead hub held is let go by whatever ends it."""
        waiting_s = 2 * POLICY.stagger_s + POLICY.restrict_grace_s
        return max(self.ends_at + POLICY.restrict_grace_s, self.at + waiting_s)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a device is in its safe state.

    Attributes:
        deadline: UTC epoch seconds from which on it must be.
        safe: Whether it is, by what is seen.
        holds: Whether it keeps to the event, by what was and is seen; looked at until E.
    """

    deadline: Callable[[Kill], float]
    safe: Callable[[Seen], bool]
    holds: Callable[[Seen, Seen], bool] = lambda _before, _now: True


def _runs(device: str) -> Rule:
    def stays_off(before: Seen, now: Seen) -> bool:
        return before.power_w(device) > NEAR_W or now.power_w(device) <= NEAR_W

    return Rule(lambda k: k.restricted_until, lambda s: s.power_w(device) > NEAR_W, stays_off)


RULES: Final[Mapping[str, Rule]] = {
    "battery": Rule(
        lambda kill: kill.at + POLICY.drive_lapse_s,
        lambda seen: abs(seen.power_w("battery")) <= NEAR_W,
    ),
    "ev": Rule(
        lambda kill: kill.restricted_until,
        lambda seen: seen.offered_w <= FALLBACK_W + 1.0,
        lambda before, now: now.offered_w <= before.offered_w + 1.0,
    ),
    "pv": Rule(
        lambda kill: kill.restricted_until,
        lambda seen: seen.power_w("pv") <= NEAR_W - PV_W,
        lambda before, now: now.power_w("pv") >= before.power_w("pv") - NEAR_W,
    ),
    "water_heater": _runs("water_heater"),
    "heat_pump": _runs("heat_pump"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one device after one kill.

    Attributes:
        device: Its id.
        held: Whether it kept to the event until its end.
        safe: Whether it was safe from its deadline on.
        took_s: From the kill until it was safe for good; None if it never was.
        late_s: The same from its deadline; negative if it was early.
    """

    device: str
    held: bool
    safe: bool
    took_s: float | None
    late_s: float | None


def judge(device: str, rule: Rule, kill: Kill) -> Verdict:
    """Return what became of a device, by what was seen of it."""
    held = all(rule.holds(kill.before, s) for s in kill.seen if s.at < kill.ends_at)
    since: float | None = None
    for seen in kill.seen:
        if not rule.safe(seen):
            since = None
        elif since is None:
            since = seen.at
    deadline = rule.deadline(kill)
    late_s = None if since is None else since - deadline
    return Verdict(
        device,
        held,
        late_s is not None and late_s <= SLACK_S,
        None if since is None else since - kill.at,
        late_s,
    )


class LossStage(Stage):
    """The stage with a guarded heat pump, and a water heater on a described board."""

    def _write_hub_config(self, pki: Pki, ports: Mapping[str, int], ocpp_port: int) -> None:
        super()._write_hub_config(pki, ports, ocpp_port)
        path = self.folder / "hub" / "hems.toml"
        config = tomllib.loads(path.read_text(encoding="utf-8"))
        bare = Path(__file__).parents[1] / "maps" / "bare-relay.toml"
        for device in config["device"]:
            if device["id"] in {"heat_pump", "water_heater"}:
                device["driver"] = "modbus"
                device["map"] = str(bare) if device["id"] == "heat_pump" else "relay-board"
                device.pop("min_on", None)
                device.pop("min_off", None)
        path.write_text(tomli_w.dumps(config), encoding="utf-8")


@dataclass(slots=True)
class Line:
    """One running line and what was measured on it."""

    rig: Rig
    rng: random.Random
    kills: list[Kill] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)

    async def run(self, kills: int) -> None:
        """Kill and start again, so many times."""
        await self._well()
        for number in range(kills):
            await self._once(EVENTS[number % len(EVENTS)])

    async def _once(self, asked: Mapping[str, float]) -> None:
        event = await self.rig.dispatch(**asked, seconds=EVENT_S)
        await until(
            self.rig.home,
            lambda home: (card := home.card(event.id)) is not None and card.state == "running",
            EVENT_S / 2,
            "the event runs",
        )
        ends_at = float(event.start + event.duration_s)
        await asyncio.sleep(self.rng.uniform(0.0, max(ends_at - time.time() - 0.5, 0.1)))
        self.kills.append(await self._kill(ends_at))
        await self._start_again()

    async def _kill(self, ends_at: float) -> Kill:
        at = time.time()
        await self.rig.stage.hub.kill()
        await asyncio.sleep(1.0)  # what it had just told takes hold
        before = await self._see()
        kill = Kill(at, ends_at, before, [before])
        last = max(rule.deadline(kill) for rule in RULES.values()) + SLACK_S + 1.0
        seen = [before]
        while seen[-1].at < last:
            await asyncio.sleep(SEE_S)
            seen.append(await self._see())
        return Kill(at, ends_at, before, seen)

    async def _start_again(self) -> None:
        seen = max((w.number for w in await self.rig.writes()), default=0)
        begun = time.monotonic()
        await self.rig.stage.start_hub()

        async def controls() -> bool:
            told = any(w.device == "battery" for w in await self.rig.writes(seen))
            home = await self.rig.home()
            return told and all(tile.quality == "good" for tile in home.devices)

        await until(controls, bool, 60.0, "under control")
        self.recoveries_s.append(time.monotonic() - begun)
        await self._well()

    async def _well(self) -> Home:
        return await until(
            self.rig.home,
            lambda home: (
                home.utility.state == "connected"
                and all(t.quality == "good" for t in home.devices)
                and all(
                    (home.tile(d).power_w or 0.0) > NEAR_W for d in ("water_heater", "heat_pump")
                )
            ),
            90.0,
            "connected, and all that wants to runs",
        )

    async def _see(self) -> Seen:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.rig.stage.control}/state") as response,
        ):
            return Seen.model_validate_json(await response.read())


async def play(folder: Path, number: int, kills: int) -> Line:
    """Run one line through its kills."""
    await asyncio.sleep(number * SPREAD_S)
    scene = Scene(
        page_port=0,
        house=HOUSE,
        seed=number + 1,
        headend=("list_poll_s = 1", "dcap_poll_s = 300"),
        utility=('poll_least = "1 s"',),
    )
    async with Rig(LossStage(folder / f"line{number}", scene)) as rig:
        line = Line(rig, random.Random(number))  # noqa: S311 - the same points in each run
        await line.run(kills)
    return line


def summary(kills: Sequence[Kill], recoveries_s: Sequence[float]) -> dict[str, Figure]:
    """Return the figures of all lines together."""
    verdicts = [[judge(d, rule, kill) for d, rule in RULES.items()] for kill in kills]
    every = [verdict for row in verdicts for verdict in row]
    for verdict in every:
        if not (verdict.safe and verdict.held):
            print(f"not safe: {verdict}")
    took = [v.took_s for v in every if v.took_s is not None]
    return {
        "kills": len(kills),
        "safe": sum(all(v.safe and v.held for v in row) for row in verdicts),
        "safe_max_s": round(max(took), 2) if took else None,
        "late_max_s": _worst(every, lambda v: v.late_s),
        "recover_p50_s": round(percentile(recoveries_s, 0.5), 2) if recoveries_s else None,
        "recover_max_s": round(max(recoveries_s), 2) if recoveries_s else None,
        "devices": {
            device: {
                "safe": sum(v.safe and v.held for v in every if v.device == device),
                "took_max_s": _worst([v for v in every if v.device == device], lambda v: v.took_s),
                "late_max_s": _worst([v for v in every if v.device == device], lambda v: v.late_s),
            }
            for device in RULES
        },
    }


def _worst(verdicts: Sequence[Verdict], what: Callable[[Verdict], float | None]) -> float | None:
    found = [what(verdict) for verdict in verdicts]
    if not found or any(value is None for value in found):
        return None
    return round(max(value for value in found if value is not None), 2)


async def figures(options: argparse.Namespace) -> Mapping[str, Figure]:
    """Measure everything."""
    shares = [
        options.kills // options.lines + (number < options.kills % options.lines)
        for number in range(options.lines)
    ]
    with tempfile.TemporaryDirectory(prefix="loss-", ignore_cleanup_errors=True) as name:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(play(Path(name), number, share))
                for number, share in enumerate(shares)
            ]
    lines = [task.result() for task in running]
    return {
        **summary(
            [kill for line in lines for kill in line.kills],
            [took for line in lines for took in line.recoveries_s],
        ),
        "lines": options.lines,
        "event_s": EVENT_S,
    }


def main() -> None:
    """Measure and print."""
    line = parser(__doc__)
    line.add_argument("--kills", type=int, default=50, help="how often a hub is killed, in all")
    line.add_argument("--lines", type=int, default=4, help="whole lines side by side")
    options = line.parse_args()
    report(
        "loss",
        asyncio.run(figures(options)),
        requirements=["SVC-WRITE", "ROLE-DEM", "LC-TEST"],
        headline=["kills", "safe", "safe_max_s", "recover_max_s"],
        record=options.record,
    )


if __name__ == "__main__":
    main()
