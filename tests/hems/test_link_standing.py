"""What a home does while nobody can say whether its utility's server was revoked."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.pem import read_certificates
from certs.pki import Pki, init_pki, renew_crls, revoke
from certs.standing import Policy
from certs.tls import server_context
from hems.clock import SystemClock
from hems.grid import Grid
from hems.store.store import open_store
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.fleet import Fleet
from tests.hems.sep2.utility import serving
from tests.hems.test_grid import Bench, import_limits, now, states

pytestmark = [pytest.mark.requirement("L2-KEYS"), pytest.mark.requirement("PRO-2030.5")]

DAY_S = 86_400.0


@pytest.fixture
def old(tmp_path: Path) -> Pki:
    """A PKI whose lists have been overdue for 35 days."""
    return init_pki(tmp_path / "old", now=datetime.now(UTC) - timedelta(days=400))


def patient(pki: Pki) -> ssl.SSLContext:
    """A utility that does not look at its own lists, so that only the hub does."""
    return server_context(pki.identity("utility"), pki.trust, policy=Policy(hard=False))


def limited(bench: Bench) -> Fleet:
    """A utility with a limit in force."""
    utility = bench.utility()
    utility.append("/derp/1/derc", control("E1", now() - 5, 3600, limit_w=3000))
    return utility


def said(bench: Bench, words: str) -> bool:
    return any(words in alarm for alarm in bench.alarms)


async def test_soft_obeys_and_tells_the_owner(old: Pki, tmp_path: Path) -> None:
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    bench = Bench(old, store)
    utility = limited(bench)
    async with (
        serving(utility, patient(old)),
        bench.running(bench.config({"grid": utility.base})) as grid,
    ):
        await bench.until(lambda: import_limits(grid) == [3000.0])
        await bench.until(lambda: said(bench, "What was known last holds"))
        assert states(grid) == {"grid": "connected"}
        renew_crls(old)
        grid.refresh_certificates()
        await bench.until(lambda: said(bench, "is known to count again"))
        assert import_limits(grid) == [3000.0]
    await store.close()


async def test_hard_ends_events_after_the_grace_over_a_restart_and_goes_on_by_itself(
    old: Pki, tmp_path: Path
) -> None:
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    bench = Bench(old, store)
    utility = limited(bench)

    def grid_of(grace: str) -> dict[str, str]:
        return {"revocation": "hard", "revocation_grace": grace}

    async with serving(utility, patient(old)):
        urls = {"grid": utility.base}
        async with bench.running(bench.config(urls, **grid_of("1000 h"))) as grid:
            await bench.until(lambda: import_limits(grid) == [3000.0])
            await bench.until(lambda: said(bench, "the hub does not talk to it"))
        async with bench.running(bench.config(urls, **grid_of("2 h"))) as grid:
            await bench.until(lambda: said(bench, "could not be learned for too long"))
            await bench.until(lambda: _home_alone(grid))
            assert "could not be learned" in grid.utilities[0].detail
            renew_crls(old)
            grid.refresh_certificates()
            await bench.until(lambda: said(bench, "is known to count again"))
            await bench.until(lambda: import_limits(grid) == [3000.0])
            await bench.until(lambda: states(grid) == {"grid": "connected"})
    await store.close()


def _home_alone(grid: Grid) -> bool:
    return states(grid) == {"grid": "refused"} and import_limits(grid) == []


async def test_a_server_that_is_revoked_controls_the_home_no_more(
    tmp_path: Path,
) -> None:
    pki = init_pki(tmp_path / "pki")
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    bench = Bench(pki, store)
    utility = limited(bench)
    async with (
        serving(utility, patient(pki)),
        bench.running(bench.config({"grid": utility.base})) as grid,
    ):
        await bench.until(lambda: import_limits(grid) == [3000.0])
        revoke(pki, read_certificates(pki.identity("utility").certificate)[0])
        grid.refresh_certificates()
        await bench.until(lambda: said(bench, "was revoked: what that asked has ended"))
        await bench.until(lambda: import_limits(grid) == [])
    await store.close()
