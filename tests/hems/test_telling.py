"""What the hub tells its utility unasked, the whole way from an image to the utility's socket."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certs.identity import lfdi, sfdi
from certs.pem import read_certificates
from certs.pki import Pki, init_pki
from certs.tls import server_context
from der.model import Alarm, DeviceState
from hems.clock import SystemClock
from hems.grid import Grid, GridEvents
from hems.link import House
from hems.sep2 import resources as res
from hems.settings.config import Config
from hems.store.store import Store, open_store
from tests.hems.emg.home import BATTERY, HEATER, METER, PV, image, lost, state
from tests.hems.sep2.utility import PIN, Utility, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("ROLE-EMG")]

SPECS = (METER, PV, BATTERY, HEATER)
DER = "/edev/1/der/1"


class Hub:
    """A hub without devices of its own: a test gives it images."""

    def __init__(self, pki: Pki, store: Store, url: str) -> None:
        identity = pki.identity("hub")
        section = {
            "url": url,
            "certificate": identity.certificate,
            "key": identity.key,
            "trust": pki.trust.roots,
            "crls": pki.trust.crls,
            "pin": str(PIN),
            "poll_least": "0.1 s",
            "mirror_interval": "1 s",
            "connection_point": "NMI1",
        }
        self.alarms: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        config = Config.model_validate({"utility": [section]})
        house = House(config, SPECS, SystemClock(), store, 5)
        tell = GridEvents(_nothing, _nothing, self.alarms.append, self._spawn, self._react)
        self.grid = Grid(house, tell)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _react(self) -> None:
        """Nothing here decides."""

    async def settle(self) -> None:
        """Wait until all that was begun aside is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def see(self, *devices: DeviceState, at: float | None = None) -> None:
        self.grid.take_image(image(*devices, at=time.time() if at is None else at))


def _nothing() -> None:
    """Hear of a change."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(Path(tmp_path_factory.mktemp("pki")) / "pki")


@pytest.fixture
def context(pki: Pki) -> ssl.SSLContext:
    return server_context(pki.identity("utility"), pki.trust)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield opened
    await opened.close()


@pytest.fixture
def utility(pki: Pki) -> Utility:
    certificate = read_certificates(pki.identity("hub").certificate)[0]
    own = lfdi(certificate.public_bytes(Encoding.DER))
    made = Utility(own, sfdi(own))
    der = res.DER(
        href=DER,
        der_capability_link=res.Link(href=f"{DER}/dercap"),
        der_settings_link=res.Link(href=f"{DER}/derg"),
        der_status_link=res.Link(href=f"{DER}/ders"),
    )
    made.change("/edev/1/der", der=(der,))
    made.resources["/derp/1/dderc"] = default_control(50)
    return made


def default_control(gradient: int) -> res.DefaultDERControl:
    return res.DefaultDERControl(
        mrid="DD", der_control_base=res.DERControlBase(), set_grad_w=gradient
    )


@contextlib.asynccontextmanager
async def a_hub(pki: Pki, store: Store, utility: Utility) -> AsyncIterator[Hub]:
    hub = Hub(pki, store, utility.base + "/dcap")
    task = asyncio.create_task(hub.grid.run())
    try:
        yield hub
        assert not task.done()
        await hub.settle()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def put(utility: Utility, kind: type[res.Resource]) -> list[Any]:
    return [r for method, _, r in utility.got if method == "PUT" and isinstance(r, kind)]


def now(power_w: float = -2000.0, *alarms: Alarm, connected: bool = True) -> Sequence[DeviceState]:
    at = time.time()
    pv = state(PV, power_w, at, alarms=frozenset(alarms), connected=connected)
    return state(METER, 500.0, at), pv, state(BATTERY, 0.0, at, soc=0.5, capacity_wh=5000.0)


async def told(
    hub: Hub, utility: Utility, good: Callable[[], object], *devices: DeviceState
) -> None:
    """Show the hub its devices, again and again as the cycle does, until the utility has it."""

    async def cycle() -> None:
        while True:
            hub.see(*devices)
            await asyncio.sleep(0.05)

    cycling = asyncio.create_task(cycle())
    try:
        await utility.until(good)
    finally:
        cycling.cancel()


async def test_the_default_ramp_is_echoed_in_the_settings_and_followed(
    pki: Pki, context: ssl.SSLContext, store: Store, utility: Utility
) -> None:
    async with serving(utility, context), a_hub(pki, store, utility) as hub:

        def ramps() -> list[int]:
            return [s.set_grad_w for s in put(utility, res.DERSettings)]

        await told(hub, utility, lambda: 50 in ramps(), *now())
        utility.resources["/derp/1/dderc"] = default_control(75)
        await told(hub, utility, lambda: 75 in ramps(), *now())
    settings = put(utility, res.DERSettings)
    assert settings[-1].updated_time >= settings[0].updated_time
    (capability,) = put(utility, res.DERCapability)
    assert capability.rtg_max_w.watts == 9000
    assert capability.doe_modes_supported == 0b1111


async def test_a_disconnection_is_told_at_once(
    pki: Pki, context: ssl.SSLContext, store: Store, utility: Utility
) -> None:
    async with serving(utility, context), a_hub(pki, store, utility) as hub:

        def states() -> list[int]:
            found = put(utility, res.DERStatus)
            return [s.gen_connect_status.value for s in found if s.gen_connect_status]

        await told(hub, utility, lambda: states() == [0b111], *now())
        gone = now(0.0, connected=False)
        await told(hub, utility, lambda: states()[-1] == 0, *gone)
        meter, _, battery = now()
        await told(hub, utility, lambda: states()[-1] == 0b10000, meter, lost(PV), battery)


async def test_alarms_reach_the_log_and_wait_over_a_restart(
    pki: Pki, context: ssl.SSLContext, store: Store, utility: Utility
) -> None:
    def codes() -> list[tuple[int, int]]:
        events = utility.posted("/edev/1/lel")
        return [(e.function_set, e.log_event_code) for e in events]

    utility.faults["POST /edev/1/lel"] = [503] * 1000
    async with serving(utility, context):
        async with a_hub(pki, store, utility) as hub:
            refused = "POST /edev/1/lel"
            await told(
                hub, utility, lambda: refused in utility.asked, *now(-1.0, Alarm.OVER_VOLTAGE)
            )
            await hub.settle()
        assert codes() == []
        utility.faults.clear()
        async with a_hub(pki, store, utility) as hub:
            await utility.until(lambda: codes() == [(11, 2)])
            await hub.settle()
        async with a_hub(pki, store, utility):
            await utility.until(lambda: utility.asked.count("GET /dcap") > 3)
    assert codes() == [(11, 2)], "what was posted is not posted again"


async def test_energy_counted_while_the_hub_was_away_is_told(
    pki: Pki, context: ssl.SSLContext, store: Store, utility: Utility
) -> None:
    def deltas() -> list[tuple[int, int]]:
        sent = [r for _, _, r in utility.got if isinstance(r, res.MirrorMeterReading)]
        sets = [s for r in sent if _is_delta(sent, r) for s in r.mirror_reading_set]
        return [(r.value or 0, r.time_period.duration) for s in sets for r in s.reading if r.value]  # type: ignore[union-attr]

    start = float(int(time.time()) - 1000)
    async with serving(utility, context):
        for at, wh in ((start, 100.0), (start + 500, 400.0)):
            async with a_hub(pki, store, utility) as hub:
                utility.asked.clear()
                await utility.until(lambda: "GET /mup" in utility.asked)
                for second in (0.0, 1.0, 2.0):
                    hub.see(state(METER, 1.0, at + second, energy_import_wh=wh), at=at + second)
                if at > start:
                    await utility.until(deltas)
    assert deltas()[0] == (300, 499)


def _is_delta(sent: Sequence[res.MirrorMeterReading], reading: res.MirrorMeterReading) -> bool:
    kinds = (r.reading_type for r in sent if r.mrid == reading.mrid and r.reading_type is not None)
    return any(kind.accumulation_behaviour == 4 for kind in kinds)
