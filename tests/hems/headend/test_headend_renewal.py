"""A hub renews its certificate at a running utility, whatever happens in the middle."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from certs.identity import IdentityFiles, Trust, lfdi
from certs.keys.store import KeyStore
from certs.pem import der, read_crls, read_identity
from certs.pki import Pki, renew_crls
from certs.renewal import CertificateWatch
from certs.tls import client_context
from hems.headend.est.settings import EstSettings
from hems.headend.settings import HeadEndSettings
from hems.settings.config import load
from hems.settings.settings_file import place, write
from hems.settings.utility_section import UtilitySection
from hems.setup.editing import Editor
from hems.setup.enrolment_code import enrol_by_code
from hems.setup.enrolment_renewal import LOOK_EVERY_S, Renewer, Rolling, finish
from tests.hems.headend.enrolling import Utility, running

pytestmark = pytest.mark.requirement("L2-KEYS", "L1-AGENT")

DAY_S = 86400.0
Move = Callable[[Path, Path], Path]


@pytest.fixture
async def utility(settings: HeadEndSettings, pki: Pki) -> AsyncIterator[Utility]:
    async with running(settings, pki, EstSettings(pki=pki.folder, lifetime_days=1)) as found:
        yield found


class Hub:
    """An enrolled hub's folder and its renewal, at a time that a test sets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ahead_s = 0.0
        self.alarms: dict[str, str | None] = {}
        self.renewer = Renewer(lambda: load(path), self.now, self.alarms.__setitem__)

    def now(self) -> float:
        return time.time() + self.ahead_s

    @property
    def section(self) -> UtilitySection:
        return load(self.path).utility[0]

    @property
    def lfdi(self) -> str:
        files = IdentityFiles(self.section.certificate, self.section.key)
        return lfdi(der(read_identity(files)[0]))

    @property
    def left(self) -> set[str]:
        return {path.name for path in self.section.certificate.parent.iterdir()}


FILES = {"certificate.pem", "hub.key", "roots.pem", "crls.pem"}


@pytest.fixture
async def hub(utility: Utility, tmp_path: Path) -> Hub:
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "hems.toml"
    write(place(path), {}, 0.0)
    assert await enrol_by_code(Editor(path), (await utility.code()).text(), time.time) == []
    return Hub(path)


async def test_it_is_renewed_when_due_and_the_connection_goes_on(
    utility: Utility, hub: Hub
) -> None:
    first, pin = hub.lfdi, hub.section.pin
    assert 0.0 < await hub.renewer.look() <= LOOK_EVERY_S
    assert hub.lfdi == first, "not yet"
    told: list[str] = []
    identity = IdentityFiles(hub.section.certificate, hub.section.key)
    trust = Trust(hub.section.trust, hub.section.crls)
    watch = CertificateWatch(identity, trust, on_identity=told.append)
    connector = aiohttp.TCPConnector(ssl=watch.cover(client_context(identity, trust)))
    base = utility.head_end.addresses.base_url
    async with aiohttp.ClientSession(base, connector=connector) as session:
        async with session.get("/edev") as answer:
            assert answer.status == 200
        hub.ahead_s = 0.8 * DAY_S
        await hub.renewer.look()
        second = hub.lfdi
        assert second != first
        assert hub.left == FILES, "nothing is left over"
        watch.refresh()
        assert told == [second]
        async with session.get("/edev") as answer:
            assert answer.status == 200, "the connection that is open goes on"
    async with (
        aiohttp.ClientSession(
            base, connector=aiohttp.TCPConnector(ssl=client_context(identity, trust))
        ) as session,
        session.get("/edev") as answer,
    ):
        assert second.encode() in await answer.read(), "the next one shows the new certificate"
    home = utility.head_end.book.home(second)
    assert home is not None
    assert f"{home.pin:06d}" == pin
    assert hub.alarms == {"utility": None}


async def test_a_utility_that_is_away_is_asked_again_and_the_owner_told(
    utility: Utility, hub: Hub, settings: HeadEndSettings, pki: Pki
) -> None:
    first = hub.lfdi
    port = int(utility.est.rpartition(":")[2])
    await utility.head_end.__aexit__(None, None, None)
    hub.ahead_s = 0.76 * DAY_S
    waits = [await hub.renewer.look() for _ in range(4)]
    assert all(10.0 <= wait <= DAY_S / 8 for wait in waits), waits
    assert hub.alarms == {}, "there is time enough"
    hub.ahead_s = 0.95 * DAY_S
    await hub.renewer.look()
    assert "could not be renewed" in (hub.alarms["utility"] or "")
    assert hub.lfdi == first
    again = EstSettings(pki=pki.folder, lifetime_days=1, port=port)
    async with running(settings, pki, again):
        await hub.renewer.look()
    assert hub.lfdi != first
    assert hub.alarms == {"utility": None}
    assert hub.left == FILES


async def test_a_power_cut_at_any_moment_leaves_an_identity_that_is_whole(
    utility: Utility, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert utility.est
    for cut in range(5):
        before, left = hub.lfdi, [cut]
        real: Move = Path.replace

        def replace(self: Path, target: Path, left: list[int] = left, real: Move = real) -> Path:
            if "certificate.pem" in str(target) or ".key" in str(target):
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(5, "power cut")
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        hub.ahead_s = 0.8 * DAY_S
        await hub.renewer.look()
        monkeypatch.setattr(Path, "replace", real)
        finish(load(hub.path))
        if hub.lfdi == before:  # the key itself could not be kept: nothing was asked for
            await hub.renewer.look()
        assert hub.lfdi != before, cut
        assert hub.left == FILES, cut


async def test_new_lists_come_once_a_day_and_never_older_ones(
    utility: Utility, hub: Hub, pki: Pki
) -> None:
    before = hub.section.crls.read_bytes()
    await hub.renewer.look()
    assert hub.section.crls.read_bytes() == before
    old = {path: path.read_bytes() for path in [pki.trust.crls, *(pki.folder / "ca").glob("*.crl")]}
    renew_crls(pki)
    await hub.renewer.look()
    assert hub.section.crls.read_bytes() == before, "once a day"
    assert utility.est
    again = Renewer(lambda: load(hub.path), hub.now, hub.alarms.__setitem__)
    await again.look()
    after = hub.section.crls.read_bytes()
    assert after != before
    assert len(read_crls(hub.section.crls)) == 4
    for path, content in old.items():
        path.write_bytes(content)
    await Renewer(lambda: load(hub.path), hub.now, hub.alarms.__setitem__).look()
    assert hub.section.crls.read_bytes() == after, "an older list does not come back"


def test_nothing_to_finish_is_no_matter(tmp_path: Path) -> None:
    files = IdentityFiles(tmp_path / "certificate.pem", tmp_path / "hub.key")
    trust = Trust(tmp_path / "roots.pem", tmp_path / "crls.pem")
    Rolling(files, trust, KeyStore()).finish()
    assert list(tmp_path.iterdir()) == []
