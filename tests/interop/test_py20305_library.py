"""The `py20305` library, embedded, against our head-end in a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from py20305.client.csip_client import CsipClient
from py20305.client.discovery import discover
from py20305.client.http import Sep2Client
from py20305.client.state import DiscoveredState
from py20305.client.tls import TlsConfig
from py20305.events.dispatch import NullDispatcher
from py20305.models.csipaus.elements import doe_limits
from py20305.models.sep.sep import DefaultDercontrol, Dercontrol1

from certs.pki import Pki
from tests.interop.utility_process import PIN, UtilityProcess, lfdi_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("PRO-2030.5"),
]

PROGRAMS = """
[[programs]]
name = "Export cap"
primacy = 3
kind = "der"
defaults = { limit_export_w = 2500.0 }
[[programs]]
name = "Peak Saver"
primacy = 10
kind = "der"
"""


@dataclass
class Device(NullDispatcher):
    """Takes what the peer's event engine decides; its own state is what it was last told."""

    told: list[tuple[str, int | None]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def _tell(self, what: str, watts: int | None) -> None:
        self.told.append((what, watts))
        self.news.set()

    async def apply_control(self, device_href: str, derc: Dercontrol1, curves: object) -> None:
        """Note a control's export limit."""
        del device_href, curves
        self._tell("control", _export_w(derc))

    async def apply_default_control(
        self,
        device_href: str,
        dderc: DefaultDercontrol,
        curves: object,
        *,
        origin: str = "",
        cause_mrid: bytes | None = None,
    ) -> None:
        """Note a default's export limit."""
        del device_href, curves, origin, cause_mrid
        self._tell("default", _export_w(dderc))

    async def clear_control(self, device_href: str, *, cause_mrid: bytes | None = None) -> None:
        """Note that nothing holds any more."""
        del device_href, cause_mrid
        self._tell("clear", None)

    async def heard(self, what: tuple[str, int | None], within_s: float) -> None:
        """Wait until it was last told something."""
        async with asyncio.timeout(within_s):
            while not self.told or self.told[-1] != what:
                self.news.clear()
                await self.news.wait()


def _export_w(control: Dercontrol1 | DefaultDercontrol) -> int | None:
    """Return the export limit of a control, W; None if it sets none."""
    limit = doe_limits(control.dercontrol_base).get("opModExpLimW")
    return None if limit is None else int(limit[0] * 10 ** limit[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def utility(
    pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[UtilityProcess]:
    """Start a head-end with two programmes, one of them with a default."""
    folder: Path = tmp_path_factory.mktemp("library")
    async with UtilityProcess(folder / "utility", pki, (PROGRAMS,)) as running:
        await running.enter(lfdi_of(pki, "hub"), "csip-aus")
        yield running


def tls(pki: Pki) -> TlsConfig:
    files = pki.identity("hub")
    return TlsConfig(files.certificate, files.key, pki.trust.roots)


async def test_its_device_is_told_of_control_end_and_default(
    utility: UtilityProcess, pki: Pki
) -> None:
    device = Device()
    async with CsipClient(
        utility.base,
        tls=tls(pki),
        dispatcher=device,
        registration_pins={lfdi_of(pki, "hub").lower(): int(PIN)},
        server_2018_compat=True,
    ) as client:
        await client.connect()
        await client.poll_now()
        await device.heard(("default", 2500), 5.0)
        event = await utility.dispatch(limit_export_w=1200.0, seconds=4, program="Export cap")
        await client.poll_now()
        await device.heard(("control", 1200), 5.0)
        await utility.answered(event.id, [1, 2], 5.0)
        await device.heard(("default", 2500), 10.0)
        await utility.answered(event.id, [1, 2, 3], 5.0)


async def test_a_wrong_pin_is_noticed(
    utility: UtilityProcess, pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="py20305")
    async with Sep2Client(utility.base, tls(pki)) as client:
        wrong = {lfdi_of(pki, "hub").lower(): 111115}
        await discover(client, DiscoveredState(), registration_pins=wrong)
    assert "Registration PIN mismatch" in caplog.text


async def test_it_reads_a_list_of_many_pages(utility: UtilityProcess, pki: Pki) -> None:
    made = {
        (await utility.dispatch(limit_import_w=1000.0 + n, minutes=1, start=f"+{n + 10}m")).id
        for n in range(60)
    }
    found = DiscoveredState()
    async with Sep2Client(utility.base, tls(pki)) as client:
        await discover(client, found, registration_pins={})
    primacies = {p.primacy: p for p in found.der_programs.values()}
    assert set(primacies) == {3, 10}
    listed = {c.m_rid.value.hex().upper() for p in primacies.values() for c in p.der_controls}
    assert made <= listed
    assert all(p.der_controls_complete for p in primacies.values())
