"""What scenarios run on: a PKI, a client by itself, and two homes that live for a module."""

import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from certs.pki import Pki, init_pki, issue_device
from certs.tls import client_context, server_context
from tests.conformance import evidence
from tests.conformance.home import EVENING, NOON, Home, living
from tests.conformance.pairs import Pair
from tests.conformance.scenario import Profile
from tests.conformance.verdicts import NAME, Collector
from tests.interop.grid.server import Grid
from tests.interop.lone import Lone


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "scenario(scenario): a named conformance scenario")


def collector(request: pytest.FixtureRequest) -> Collector | None:
    """Return what collects verdicts; None in an ordinary test run."""
    plugin = request.config.pluginmanager.get_plugin(NAME)
    return plugin if isinstance(plugin, Collector) else None


@pytest.fixture(scope="session")
def profile(request: pytest.FixtureRequest) -> Profile:
    """Return the profile that is tested for."""
    found = collector(request)
    return Profile.CSIP_AUS if found is None else found.profile


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Return a PKI with the identities utility, hub and others."""
    made = init_pki(Path(tmp_path_factory.mktemp("conformance")) / "pki")
    for name in ("other", "second", "third", "impostor"):
        issue_device(made, name)
    return made


@pytest.fixture
def context(pki: Pki) -> ssl.SSLContext:
    """Return the utility's server side of TLS."""
    return server_context(pki.identity("utility"), pki.trust)


@pytest.fixture
def notifying(pki: Pki) -> ssl.SSLContext:
    """Return the utility's client side of TLS."""
    return client_context(pki.identity("utility"), pki.trust)


@pytest.fixture
def lone(
    request: pytest.FixtureRequest, pki: Pki, tmp_path: Path, profile: Profile
) -> Iterator[Lone]:
    """Return a client by itself; what its utilities saw becomes evidence.

    It is ours against a scripted utility, unless the run is for another client or server.
    """
    found = collector(request)
    pair = Pair() if found is None else found.pair
    made = pair.lone(pki, tmp_path, profile.edition)
    unfit = pair.unfit(request.node)
    if unfit:
        pytest.skip(unfit)
    yield made
    keep(request, made.grids, 0.0)
    if found is not None:
        found.saw(request.node, made)


def keep(request: pytest.FixtureRequest, grids: list[Grid], since: float) -> Path | None:
    """Write what went over the wire since a time into the scenario's evidence."""
    found = collector(request)
    folder = None if found is None else found.evidence(request.node)
    if folder is not None:
        evidence.write_wire(folder, [e for grid in grids for e in evidence.since(grid, since)])
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening_home(
    usual: None, pki: Pki, profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Home]:
    """Keep a home with much to draw, for a module."""
    del usual
    folder = tmp_path_factory.mktemp("evening") / "stage"
    async with living(folder, pki, profile, EVENING) as home:
        yield home


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def noon_home(
    usual: None, pki: Pki, profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Home]:
    """Keep a home with much to feed in, for a module."""
    del usual
    folder = tmp_path_factory.mktemp("noon") / "stage"
    async with living(folder, pki, profile, NOON) as home:
        yield home


@pytest.fixture(scope="module")
def usual(request: pytest.FixtureRequest) -> None:
    """Keep homes with devices to our hub and the scripted utility."""
    found = collector(request)
    if found is not None and not found.pair.usual:
        pytest.skip(found.pair.of_devices)


def _fresh(home: Home) -> None:
    """Take all programmes away, so that a scenario begins with none."""
    for group in home.grid.home.members:
        group.members.clear()
    del home.grid.home.members[1:]


def _kept(request: pytest.FixtureRequest, home: Home, begin: float) -> None:
    folder = keep(request, [home.grid], begin)
    if folder is not None:
        evidence.write_power(folder, [s for s in home.samples if s.at >= begin])


@pytest_asyncio.fixture(loop_scope="module")
async def evening(request: pytest.FixtureRequest, evening_home: Home) -> AsyncIterator[Home]:
    """Return the evening home with no programme; what happens becomes evidence."""
    begin = time.time()
    _fresh(evening_home)
    yield evening_home
    _kept(request, evening_home, begin)


@pytest_asyncio.fixture(loop_scope="module")
async def noon(request: pytest.FixtureRequest, noon_home: Home) -> AsyncIterator[Home]:
    """Return the noon home with no programme; what happens becomes evidence."""
    begin = time.time()
    _fresh(noon_home)
    yield noon_home
    _kept(request, noon_home, begin)
