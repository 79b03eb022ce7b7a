"""The `py20305` program against our head-end: two processes, mutual TLS, controls that run."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from lxml import etree

from certs.pki import Pki
from tests.interop.peer_process import PeerProcess
from tests.interop.utility_process import UtilityProcess, lfdi_of
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("PRO-2030.5", "PRO-IP"),
]

SOON_S = 5.0
LIMITED = {
    "csip-aus": "PrintDemo.update_imp_lim({{'imp_lim_mode_enable': 1, 'imp_lim_w': {}}})",
    "2023": "PrintDemo.update_p_lim_abs({{'p_lim_mode_enable': 1, 'p_lim_watts': {}}})",
}
"""What the peer's demo device says when an import limit comes into force."""
RELEASED = "PrintDemo.update_imp_lim({'imp_lim_mode_enable': 0})"
"""The same when it is over; py20305 tells its devices of no end of the limits of 2023."""
RATES = ("dcap_poll_s = 10", "time_poll_s = 10", "list_poll_s = 10", "post_rate_s = 3")


@dataclass
class Pair:
    """A utility and the client that found it."""

    utility: UtilityProcess
    peer: PeerProcess
    edition: str

    def applied(self, watts: int) -> list[str]:
        """Return when the device was limited to so many watts."""
        return self.peer.said(LIMITED[self.edition].format(watts))

    async def limited(self, watts: int, within_s: float = SOON_S) -> None:
        """Wait until the device is limited to so many watts."""
        await self.peer.says(LIMITED[self.edition].format(watts), within_s)

    async def released(self, before: int, within_s: float) -> None:
        """Wait until the device was let go once more than `before` times."""
        if self.edition != "2023":
            await self.peer.says(RELEASED, within_s, before + 1)

    @property
    def releases(self) -> int:
        """How often the device was let go so far."""
        return len(self.peer.said(RELEASED))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["csip-aus", "2023"])
async def pair(
    request: pytest.FixtureRequest, pki: Pki, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    """Start a head-end, enter the home, and start the client."""
    folder: Path = tmp_path_factory.mktemp("pair")
    async with UtilityProcess(folder / "utility", pki, RATES) as utility:
        await utility.enter(lfdi_of(pki, "hub"), request.param)
        async with PeerProcess(folder / "peer", pki, utility.base, edition=request.param) as peer:
            await peer.says("Starting poll loop", 20.0)
            yield Pair(utility, peer, request.param)


async def test_it_finds_itself_with_its_pin_and_subscribes(pair: Pair, pki: Pki) -> None:
    await pair.peer.says("Registration PIN verified", SOON_S)
    await pair.peer.says("EndDevice already registered", SOON_S)
    (home,) = await pair.utility.homes()
    assert home.lfdi == lfdi_of(pki, "hub")
    assert not home.in_band
    assert "/derp/1/derc" in home.subscriptions
    assert not [line for line in pair.peer.said(" ERROR ") if "subscription" not in line]


async def test_an_immediate_control_runs_and_ends(pair: Pair) -> None:
    before = pair.releases
    event = await pair.utility.dispatch(limit_import_w=1501.0, seconds=4)
    await pair.limited(1501)
    await pair.utility.answered(event.id, [1, 2, 3], 10.0)
    await pair.released(before, SOON_S)
    assert pair.peer.said("Control change notification for /derp/1/derc")


async def test_a_future_control_waits_for_its_start(pair: Pair) -> None:
    before = pair.releases
    event = await pair.utility.dispatch(limit_import_w=1502.0, seconds=3, start="+3s")
    await pair.utility.answered(event.id, [1], SOON_S)
    assert time.time() < event.start
    assert not pair.applied(1502)
    await pair.limited(1502)
    assert time.time() >= event.start - 1
    await pair.utility.answered(event.id, [1, 2, 3], 10.0)
    await pair.released(before, SOON_S)


async def test_a_superseded_control_gives_way_to_the_newer(pair: Pair) -> None:
    before = pair.releases
    first = await pair.utility.dispatch(limit_import_w=1503.0, seconds=60)
    await pair.limited(1503)
    await pair.utility.answered(first.id, [1, 2], SOON_S)
    # Of two controls of one creationTime, py20305 goes by what it knew first and not by mRID.
    await asyncio.sleep(1.0)
    second = await pair.utility.dispatch(limit_import_w=1403.0, seconds=4)
    await pair.limited(1403)
    await pair.utility.answered(first.id, [1, 2, 7], SOON_S)
    await pair.utility.answered(second.id, [1, 2, 3], 10.0)
    await pair.released(before, SOON_S)


async def test_a_cancelled_control_ends_at_once(pair: Pair) -> None:
    before = pair.releases
    event = await pair.utility.dispatch(limit_import_w=1504.0, seconds=120)
    await pair.limited(1504)
    await pair.utility.answered(event.id, [1, 2], SOON_S)
    await pair.utility.cancel(event.id)
    await pair.utility.answered(event.id, [1, 2, 6], SOON_S)
    await pair.released(before, SOON_S)


async def test_a_control_cancelled_before_its_start_never_runs(pair: Pair) -> None:
    event = await pair.utility.dispatch(limit_import_w=1505.0, seconds=60, start="+40s")
    await pair.utility.answered(event.id, [1], SOON_S)
    await pair.utility.cancel(event.id)
    await pair.utility.answered(event.id, [1, 6], SOON_S)
    assert not pair.applied(1505)


async def test_a_randomised_control_starts_within_its_range(pair: Pair) -> None:
    before = pair.releases
    event = await pair.utility.dispatch(
        limit_import_w=1506.0, seconds=3, start="+1s", randomize_start_s=3
    )
    await pair.utility.answered(event.id, [1, 2, 3], 20.0)
    answers = (await pair.utility.event(event.id)).homes[0].responses
    (started,) = [r.at for r in answers if r.status == 2]
    assert event.start <= started <= event.start + 3 + 1
    assert pair.applied(1506)
    await pair.released(before, SOON_S)


async def test_it_posts_readings_to_usage_points(pair: Pair) -> None:
    readings = await until(
        pair.utility.readings, lambda found: len({r.start for r in found}) >= 2, 15.0, "two rounds"
    )
    power = [r for r in readings if r.description == "Real Power"]
    assert power
    assert {r.value for r in power} == {10_000.0}
    assert {r.value for r in readings if r.description == "Voltage"} == {240.0}


async def test_it_tells_of_itself_as_a_der(pair: Pair) -> None:
    elements = {
        "dercap": ("DERCapability", "rtgMaxW"),
        "derg": ("DERSettings", "setMaxW"),
        "ders": ("DERStatus", "operationalModeStatus"),
    }
    for kind, (name, child) in elements.items():
        path = f"/edev/1/der/1/{kind}"

        async def look(path: str = path) -> tuple[int, bytes]:
            return await pair.utility.resource(path, "hub")

        _, body = await until(look, lambda got: got[0] == 200, 10.0, f"{kind} put")
        found = etree.fromstring(body)
        assert etree.QName(found).localname == name
        assert found.find(f"{{*}}{child}") is not None


async def test_two_events_in_a_row_are_kept_apart(pair: Pair) -> None:
    before = pair.releases
    first = await pair.utility.dispatch(limit_import_w=1507.0, seconds=3)
    second = await pair.utility.dispatch(limit_import_w=1508.0, seconds=3, start="+5s")
    await pair.limited(1507)
    await pair.utility.answered(first.id, [1, 2, 3], 10.0)
    await pair.limited(1508, 10.0)
    await pair.utility.answered(second.id, [1, 2, 3], 10.0)
    await pair.released(before + 1, SOON_S)


async def test_it_registers_itself_where_the_utility_allows_it(pki: Pki, tmp_path: Path) -> None:
    lines = (*RATES, "allow_registration = true")
    async with (
        UtilityProcess(tmp_path / "utility", pki, lines) as utility,
        PeerProcess(tmp_path / "peer", pki, utility.base, identity="other") as peer,
    ):
        await peer.says("registered EndDevice at", 20.0)
        (home,) = await utility.homes()
        assert home.lfdi == lfdi_of(pki, "other")
        assert home.in_band


async def test_a_polling_client_finds_what_is_in_force_and_leaves_in_order(
    pki: Pki, tmp_path: Path
) -> None:
    async with UtilityProcess(tmp_path / "utility", pki, RATES) as utility:
        await utility.enter(lfdi_of(pki, "hub"), "csip-aus")
        event = await utility.dispatch(limit_import_w=1509.0, seconds=120)
        async with PeerProcess(tmp_path / "peer", pki, utility.base, subscribes=False) as peer:
            await peer.says(LIMITED["csip-aus"].format(1509), 20.0)
            await utility.answered(event.id, [1, 2], SOON_S)
            (home,) = await utility.homes()
            assert not home.subscriptions
            # Told while it is about to wait, it ends by the signal itself, after it has stopped.
            ended = await asyncio.wait_for(peer.child.stop(), 20.0)
            assert ended in {0, -signal.SIGINT}
            await peer.says("py20305.cli: stopped", 5.0)
