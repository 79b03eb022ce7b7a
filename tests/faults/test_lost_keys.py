"""A home whose TPM is lost, hangs, or is not there at the start: it is controlled all the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from certs.keys.opening import Kind, StoreSettings, key_store
from certs.pki import Pki
from certs.tls import server_context
from tests.certs.keys.hardware import SoftTpm, needs_swtpm
from tests.faults.bench import Bench, Hub, copy_pki
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("L1-AGENT"),
    pytest.mark.requirement("L2-KEYS"),
    needs_swtpm,
]

SAID = "The hub's keys cannot be used"
WITHIN_S = 60.0


@pytest_asyncio.fixture(loop_scope="module")
async def tpm(tmp_path: Path) -> AsyncIterator[SoftTpm]:
    running = SoftTpm(tmp_path / "tpm")
    running.start()
    yield running
    running.stop()


def moved(bench: Bench, folder: Path, tpm: SoftTpm, dcap: str) -> str:
    """Return the configuration of a hub whose key was moved into the TPM."""
    pki: Pki = copy_pki(bench.pki, folder / "own")
    own = pki.identity("hub")
    assert key_store(StoreSettings(Kind.TPM, tcti=tpm.tcti)).move(own.key)
    config = bench.config(dcap).replace(str(bench.pki.folder), str(pki.folder))
    assert str(own.key) in config
    return f'{config}\n[keys]\nstore = "tpm"\ntcti = "{tpm.tcti}"\n'


async def alarms(hub: Hub) -> list[str]:
    return [alarm for alarm in (await hub.home()).alarms if SAID in alarm]


async def told(hub: Hub, *, trouble: bool) -> list[str]:
    async def look() -> list[str]:
        return await alarms(hub)

    what = "the keys' alarm" if trouble else "no alarm of the keys"
    return await until(look, lambda found: bool(found) is trouble, WITHIN_S, what)


@pytest.mark.deep
async def test_a_tpm_that_is_lost_stops_new_connections_and_nothing_else(
    bench: Bench, tmp_path: Path, tpm: SoftTpm
) -> None:
    utility = bench.utility()
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        config = moved(bench, tmp_path, tpm, f"{utility.base}/dcap")
        async with bench.running(config) as hub:
            await hub.state("connected")
            assert await alarms(hub) == []
            tpm.stop()
            (alarm,) = await told(hub, trouble=True)
            assert "the TPM" in alarm
            assert "controlled as before" in alarm
            await hub.goes_on()
            await hub.state("connected")  # what is open stays open
            tpm.start()
            await told(hub, trouble=False)
            tpm.hang()
            try:
                assert "does not answer" in (await told(hub, trouble=True))[0]
                await hub.goes_on()
            finally:
                tpm.go_on()
            await told(hub, trouble=False)
            assert len(hub.logged("WARNING", SAID)) == 2


async def test_a_home_starts_without_its_tpm_and_calls_once_it_is_back(
    bench: Bench, tmp_path: Path, tpm: SoftTpm
) -> None:
    utility = bench.utility()
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    async with serving(utility, context):
        config = moved(bench, tmp_path, tpm, f"{utility.base}/dcap")
        tpm.stop()
        async with bench.running(config) as hub:
            await hub.goes_on()
            await told(hub, trouble=True)
            home = await hub.home()
            assert home.utility.state != "connected"
            assert "the TPM" in home.utility.detail
            await hub.goes_on()
            tpm.start()
            await told(hub, trouble=False)
            await hub.state("connected", WITHIN_S)
