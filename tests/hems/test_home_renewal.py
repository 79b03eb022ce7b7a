"""A renewed certificate while the hub runs: another LFDI, the same events, nobody restarts."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from certs.identity import IdentityFiles, lfdi, make_pin, sfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_device
from certs.tls import server_context
from der.addresses import MappedAddress, ModbusAddress
from der.model import DeviceKind
from der.registry import build
from hems.clock import SystemClock
from hems.home import Home
from hems.sep2 import resources as res
from hems.settings.config import Config
from hems.settings.utility_section import UtilitySection
from hems.store.store import Store, open_store
from tests.der.described import described
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.utility import PIN, Utility, serving
from tests.waiting import until

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("L1-AUTH")]

WITHIN_S = 15.0
NOWHERE = ModbusAddress("127.0.0.1", 9)
METER = described("meter", DeviceKind.METER, "sunspec", NOWHERE)
TANK = described(
    "tank", DeviceKind.WATER_HEATER, "modbus", MappedAddress(NOWHERE, "relay-board"), 2000
)
"""With a meter, what an import limit can act on; no test here asks them for anything."""


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return init_pki(tmp_path / "pki")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield opened
    await opened.close()


def own(files: IdentityFiles) -> str:
    return lfdi(der(read_certificates(files.certificate)[0]))


def renew(files: IdentityFiles, other: IdentityFiles) -> None:
    files.certificate.write_bytes(other.certificate.read_bytes())
    files.key.write_bytes(other.key.read_bytes())


def make(pki: Pki, store: Store, files: IdentityFiles, base: str) -> Home:
    utility = UtilitySection.model_validate(
        {
            "url": base + "/dcap",
            "certificate": files.certificate,
            "key": files.key,
            "trust": pki.trust.roots,
            "crls": pki.trust.crls,
            "pin": f"{PIN:06d}",
            "poll_least": "1 s",
        }
    )
    return Home(
        Config(utility=(utility,)), SystemClock(), store, build([METER, TANK], now=time.time)
    )


@contextlib.asynccontextmanager
async def running(home: Home) -> AsyncIterator[None]:
    task = asyncio.create_task(home.grid.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def wait(true: Callable[[], object], what: str) -> None:
    async def look() -> bool:
        return bool(true())

    await until(look, bool, WITHIN_S, what)


def registered(utility: Utility) -> list[str | None]:
    return [d.lfdi for d in utility.posted("/edev", res.EndDevice)]


def asked(home: Home) -> list[str]:
    return [signal.event for signal in home.grid.present]


async def test_registration_follows_the_certificate_and_events_go_on(
    pki: Pki, store: Store
) -> None:
    files, other = issue_device(pki, "first"), issue_device(pki, "second")
    lfdis = [own(files), own(other)]
    utility = Utility(lfdis[0], sfdi(lfdis[0]), default_poll_s=1)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 1, 600))
    async with serving(utility, server_context(pki.identity("utility"), pki.trust)):
        home = make(pki, store, files, utility.base)
        async with running(home):
            await wait(lambda: ("E1", 2) in utility.codes, "the event runs")
            assert asked(home) == ["E1"]
            renew(files, other)
            home.refresh_certificates()
            await wait(lambda: lfdis[1] in registered(utility), "registered anew")
            await wait(lambda: home.grid.utilities[0].lfdi == lfdis[1], "shown to the owner")
            before = utility.asked.count("GET /derp/1/derc")
            await wait(
                lambda: utility.asked.count("GET /derp/1/derc") >= before + 3, "kept up with"
            )
            assert asked(home) == ["E1"], "the event never ended"
            said = [text for text in home.alarms.messages if lfdis[1] in text]
            assert len(said) == 1
            assert "registers anew" in said[0]
    assert utility.codes == [("E1", 1), ("E1", 2)], "and is not answered twice"
    assert {row.lfdi for row in await store.ledger.events()} == {lfdis[1]}


async def test_a_certificate_renewed_while_the_hub_was_off(pki: Pki, store: Store) -> None:
    files, other = issue_device(pki, "first"), issue_device(pki, "second")
    lfdis = [own(files), own(other)]
    utility = Utility(lfdis[0], sfdi(lfdis[0]), default_poll_s=1)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 1, 600))
    async with serving(utility, server_context(pki.identity("utility"), pki.trust)):
        home = make(pki, store, files, utility.base)
        async with running(home):
            await wait(lambda: ("E1", 2) in utility.codes, "the event runs")
    renew(files, other)
    home = make(pki, store, files, "https://127.0.0.1:1")  # the utility is away now
    async with running(home):
        await wait(lambda: asked(home) == ["E1"], "the event runs on")


async def test_files_that_are_no_good_change_nothing(pki: Pki, store: Store) -> None:
    files = issue_device(pki, "first")
    mine = own(files)
    utility = Utility(mine, sfdi(mine), default_poll_s=1)
    utility.append("/derp/1/derc", control("E1", int(time.time()) - 1, 600))
    async with serving(utility, server_context(pki.identity("utility"), pki.trust)):
        home = make(pki, store, files, utility.base)
        async with running(home):
            await wait(lambda: ("E1", 2) in utility.codes, "the event runs")
            files.certificate.write_text("garbage")
            for _ in range(3):
                home.refresh_certificates()
            before = utility.asked.count("GET /tm")
            await wait(lambda: utility.asked.count("GET /tm") > before, "it goes on")
            assert asked(home) == ["E1"]
            said = [text for text in home.alarms.messages if "stay as they were" in text]
            assert len(said) == 1
            assert str(files.certificate) in said[0]


def test_the_pin_of_the_scripted_utility_is_whole() -> None:
    assert make_pin(PIN // 10) == f"{PIN:06d}"
