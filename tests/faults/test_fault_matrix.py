"""Each driver, each fault, before, during and after an event: who is wrong is named, nobody else.

One house, one hub; in each case one device of every driver has the fault at the same time. What
each device must say, or that it has nothing to say, stands in `SAYS`.
"""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from certs.pki import Pki
from certs.tls import server_context
from tests.benchmarks.common import percentile
from tests.faults.bench import house
from tests.faults.conftest import EVENING
from tests.faults.scripted import LyingUtility
from tests.faults.watching import LIMIT_W, Running, Watch, all_well, bad, limited, mrid, under
from tests.hems.sep2.utility import serving
from tests.mqtt.broker import mosquitto
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.requirement("SVC-READ"),
]

MAX_AGE_S = 3.0
KNOWN_WITHIN_S = 15.0
WELL_WITHIN_S = 45.0
MOST_LINES = {"ev": 7, "tasmota_plug": 12}
"""In the log, of one trouble of one device, 4 if not named: its begin, and where its nature
changes. Devices that report by themselves have more of that to tell: by topic, and of each call."""
IDLE_W = 50.0
MORE = """
[mqtt]
port = {broker}

[[device]]
id = "p1"
kind = "submeter"
name = "Customer port"
driver = "p1"
port = {p1}

[[device]]
id = "tasmota_plug"
kind = "plug"
name = "Plug"
driver = "mqtt"
profile = "tasmota"
topic = "sim-plug"
max = "1 kW"
"""

GONE = (
    "no answer",
    "nothing new",
    "no good telegram",
    "closed",
    "connect",
    "not called in",
    "no usable",
    "reached",
    "offline",
)
ALL = ("pv", "water_heater", "ev", "p1", "tasmota_plug")
SAYS: Mapping[tuple[str, str], tuple[str, ...] | None] = {
    **{(d, "silence"): GONE for d in ALL},
    **{(d, "off"): GONE for d in ALL},
    **{(d, "reboot"): GONE for d in ALL},
    **{(d, "delay"): GONE for d in ("pv", "water_heater", "ev")},
    **{(d, "garbage"): (*GONE, "not Modbus") for d in ("pv", "water_heater", "ev")},
    ("p1", "garbage"): (*GONE, "telegram"),
    ("pv", "exception"): ("exception 4",),
    ("water_heater", "exception"): ("exception 4",),
    ("ev", "exception"): None,  # it refuses what it is told, and reports by itself all the same
    ("p1", "exception"): (*GONE, "telegram"),
    ("pv", "scale"): ("cannot be",),
    ("water_heater", "scale"): ("cannot be", "no sense", "nothing new"),
    ("ev", "scale"): ("cannot be", "nothing new", "can draw"),
    ("p1", "scale"): ("cannot be", "nothing new"),
    **{(d, "clock"): None for d in ("pv", "water_heater")},  # nobody asks for their time
}
"""Words of which one stands in what is said of a device, by device and fault; None where the fault
is none to the hub. What is not listed may be taken either way, but not without its name."""

DRIVERS = ALL
"""One device of each driver: SunSpec, a described Modbus device, OCPP 1.6, DSMR P1, MQTT."""
FAULTS = ("silence", "garbage", "exception", "off", "delay", "scale", "reboot", "clock")
PHASES = ("before", "during", "after")
QUICK = {("garbage", "before"), ("reboot", "during")}
CASES = [
    pytest.param(
        fault,
        phase,
        id=f"{fault} {phase} an event",
        marks=[] if (fault, phase) in QUICK else [pytest.mark.deep],
    )
    for fault in FAULTS
    for phase in PHASES
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    async with (
        mosquitto(folder) as broker,
        house(
            folder,
            pki,
            (*EVENING, "--p1-port", "0", "--mqtt", f"127.0.0.1:{broker.port}"),
        ) as bench,
    ):
        utility = LyingUtility(bench.hub_lfdi)
        context = server_context(pki.identity("utility"), pki.trust)
        async with serving(utility, context):
            more = MORE.format(broker=broker.port, p1=bench.ports["p1"])
            config = bench.config(f"{utility.base}/dcap", more=more)
            config = config.replace("[[device]]", f'[[device]]\nmax_age = "{MAX_AGE_S:g} s"')
            config = config.replace('min_on = "3 min"\nmin_off = "3 min"\n', "")
            async with bench.running(config) as hub:
                yield Running(bench, hub, utility)


@dataclass
class Case:
    """One fault at one device of every driver."""

    running: Running
    fault: str
    watch: Watch = field(init=False)
    logged: int = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.running.hub, frozenset(DRIVERS))
        self.logged = len(self.running.hub.log.splitlines())

    @property
    def sure(self) -> set[str]:
        """Devices of which the fault must be known."""
        return {d for d in DRIVERS if SAYS.get((d, self.fault)) is not None}

    async def begin(self) -> None:
        """Let the fault begin, and wait until it is known."""
        home = await self.watch.look()
        visible = self.sure
        if self.fault == "scale":  # a thousandfold of nothing is nothing, and loads may be off
            moving = {d for d in DRIVERS if abs(home.tile(d).power_w or 0.0) > IDLE_W}
            visible = visible & moving if home.limit_import_w is None else {"pv"}
        for device in DRIVERS:
            await self.running.bench.fault(device, self.fault)
        home = await until(
            self.watch.look, lambda home: visible <= bad(home), KNOWN_WITHIN_S, f"{visible} known"
        )
        for device in bad(home):
            error = home.tile(device).error
            assert error is not None
            assert error.startswith(f"{device}: "), error
            says = SAYS.get((device, self.fault), ())
            assert says is not None, f"{device} is well under {self.fault}: {error}"
            assert not says or any(words in error for words in says), error

    async def end(self) -> None:
        """Let the fault end, and wait until all devices are well, without a restart of anything."""
        for device in DRIVERS:
            await self.running.bench.fault(device, "none")
        await until(self.watch.look, lambda home: not bad(home), WELL_WITHIN_S, "all well again")

    def judge(self) -> None:
        """Check what was said; that nobody else was late was checked at each look.

        The periods are told for people to look at: on a machine with other work they say little.
        """
        lines = self.running.hub.log.splitlines()[self.logged :]
        for device in DRIVERS:
            warned = [x for x in lines if f" {device}: " in x and " WARNING " in x]
            assert len(warned) <= MOST_LINES.get(device, 4), warned
        assert not [x for x in lines if " ERROR " in x], lines
        periods = [
            (b.at - a.at) / (b.seq - a.seq) for a, b in pairwise(self.watch.seen) if b.seq > a.seq
        ]
        print(
            f"{self.fault}: 99 % of {len(periods)} periods under {percentile(periods, 0.99):.3f} s"
        )


@pytest.mark.parametrize(("fault", "phase"), CASES)
async def test_matrix(running: Running, fault: str, phase: str) -> None:
    await all_well(running.hub)
    case = Case(running, fault)
    event = mrid("A1", fault, phase)
    try:
        if phase == "before":
            await case.begin()
        async with limited(running, event):
            if phase != "before":
                await under(running)
                await case.begin()
            await case.watch.look_for(3.0)
            if phase != "after":  # else the event ends with the fault still there
                await case.end()
                await under(running)
        if phase == "after":
            await case.watch.look_for(2.0)
            await case.end()
    finally:
        for device in DRIVERS:
            await running.bench.fault(device, "none")
    case.judge()


async def test_a_meter_that_stands_still_when_an_event_begins_is_not_believed(
    running: Running,
) -> None:
    """What the devices then do does not show in it, so the home goes over to its careful limit."""
    await until(
        running.hub.home,
        lambda home: not bad(home) and (home.net_w or 0.0) > LIMIT_W + 1000.0,
        90.0,
        "loads that an event will take away",
    )
    await running.bench.fault("meter", "stuck")
    await running.hub.goes_on(2)  # it holds on to what it is first asked for from now on
    try:
        async with limited(running, mrid("A2", "stuck")):
            home = await until(
                running.hub.home, lambda home: "meter" in bad(home), 40.0, "the meter is doubted"
            )
            error = home.tile("meter").error
            assert error is not None
            assert error.startswith("meter: power reads ")
            assert error.endswith("so it is not believed")
            assert home.net_w is None
            since = time.time()
            await Watch(running.hub, frozenset({"meter"})).look_for(4.0)
            trace = await running.bench.trace(since)
            assert max(sample.meter_w for sample in trace) <= LIMIT_W
            await running.bench.fault("meter", "none")
            await until(running.hub.home, lambda home: not bad(home), WELL_WITHIN_S, "believed")
            await under(running)
    finally:
        await running.bench.fault("meter", "none")
