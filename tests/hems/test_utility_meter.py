"""The utility's own meter as a device of the home: from its usage point to the page."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certs.identity import lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki
from certs.tls import server_context
from der.registry import build
from hems import wiring
from hems.clock import SystemClock
from hems.home import Home
from hems.settings.config import Config
from hems.store.store import open_store
from hems.surface import DeviceView
from tests.hems.metered import add_meter, tell
from tests.hems.sep2.utility import PIN, Utility, serving
from tests.waiting import until

pytestmark = [
    pytest.mark.requirement("ROLE-SM"),
    pytest.mark.requirement("ROLE-SMG"),
    pytest.mark.requirement("PRO-2030.5"),
]

WITHIN_S = 20.0


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return init_pki(tmp_path_factory.mktemp("pki") / "pki")


@pytest.fixture
def utility(pki: Pki) -> Utility:
    own = lfdi(der(read_certificates(pki.identity("hub").certificate)[0]))
    made = Utility(own, sfdi(own), default_poll_s=1)
    add_meter(made)
    return made


@asynccontextmanager
async def _living(
    pki: Pki, utility: Utility, folder: Path, **changes: object
) -> AsyncIterator[Home]:
    hub = pki.identity("hub")
    meter: dict[str, object] = {"id": "meter", "kind": "meter", "name": "Utility's meter"}
    meter |= {"driver": "feed", "source": "grid", "max_age": "5 s", **changes}
    section = {
        "name": "grid",
        "url": f"{utility.base}/dcap",
        "certificate": hub.certificate,
        "key": hub.key,
        "trust": pki.trust.roots,
        "crls": pki.trust.crls,
        "pin": f"{PIN:06d}",
        "poll_least": "1 s",
    }
    config = Config.model_validate(
        {"utility": [section], "device": [meter], "store": {"path": folder / "home.sqlite"}}
    )
    store = await open_store(folder / "home.sqlite", SystemClock())
    registry = build(wiring.descriptions(config), wiring.shared(config), now=time.time)
    home = Home(config, SystemClock(), store, registry)
    task = asyncio.create_task(home.run())
    try:
        yield home
        assert not task.done(), "the home died"
    finally:
        home.stop()
        await asyncio.gather(task)
        await store.close()


async def _wait(home: Home, good: Callable[[DeviceView], bool], what: str) -> DeviceView:
    async def look() -> DeviceView | None:
        return next((d for d in home.front.snapshot().devices if d.id == "meter"), None)

    seen = await until(look, lambda d: d is not None and good(d), WITHIN_S, what)
    assert seen is not None
    return seen


async def test_the_utility_s_meter_is_the_home_s_meter_and_grows_stale(
    pki: Pki, utility: Utility, tmp_path: Path
) -> None:
    tell(utility, w=1500, v=2310)
    async with (
        serving(utility, server_context(pki.identity("utility"), pki.trust)),
        _living(pki, utility, tmp_path) as home,
    ):
        seen = await _wait(home, lambda d: d.power_w == 1500, "the first reading")
        assert seen.quality == "good"
        tell(utility, w=-700)
        await _wait(home, lambda d: d.power_w == -700, "what was told next")
        seen = await _wait(home, lambda d: d.quality != "good", "nothing new is told")
        assert seen.power_w == -700, "known, not current, never zero"
        assert seen.error == "meter: grid has brought nothing newer for more than 5 s"
        tell(utility, w=300)
        await _wait(home, lambda d: d.power_w == 300 and d.quality == "good", "told again")


async def test_readings_are_as_old_as_the_utility_says_by_its_own_clock(
    pki: Pki, utility: Utility, tmp_path: Path
) -> None:
    utility.ahead_s = 5000.0
    tell(utility, w=900)
    async with (
        serving(utility, server_context(pki.identity("utility"), pki.trust)),
        _living(pki, utility, tmp_path, inverted=True, max_age="300 s") as home,
    ):
        seen = await _wait(home, lambda d: d.power_w == -900, "turned round, as configured")
        assert seen.age_s is not None
        assert seen.age_s < 60, "no hour ahead, nor old"
        tell(utility, at=time.time() + 5000 + 30, w=901)
        seen = await _wait(home, lambda d: d.power_w == -901, "from the future")
        assert seen.age_s is not None
        assert seen.age_s >= 0


async def test_a_utility_that_meters_nothing_is_a_lost_meter_with_its_reason(
    pki: Pki, utility: Utility, tmp_path: Path
) -> None:
    async with (
        serving(utility, server_context(pki.identity("utility"), pki.trust)),
        _living(pki, utility, tmp_path) as home,
    ):
        seen = await _wait(home, lambda d: d.error is not None, "an error")
        assert (seen.quality, seen.power_w) == ("lost", None)
        assert seen.error == "meter: grid has brought no reading yet"
        tell(utility, w=5)
        await _wait(home, lambda d: d.power_w == 5, "it does at last")
