"""A utility changes its root under homes that are enrolled, connected, away, or new."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from certs import roll_over
from certs.est import client, lists
from certs.est.errors import EstError, Fault
from certs.identity import IdentityFiles, Trust, lfdi
from certs.issue import new_key
from certs.pem import der, read_certificates, read_crls
from certs.pki import roots
from certs.renewal import CertificateWatch
from certs.tls import client_context
from hems.settings.config import load
from hems.settings.settings_file import place, write
from hems.setup.editing import Editor
from hems.setup.enrolment_code import enrol_by_code
from hems.setup.enrolment_renewal import Renewer, renew_now
from tests.hems.headend.enrolling import Utility, utility_in

pytestmark = pytest.mark.requirement("L2-KEYS", "L3-ROOT", "L1-AGENT")

DAYS = timedelta(days=40)
DAY_S = 86400.0


@pytest.fixture
async def utility(tmp_path: Path) -> AsyncIterator[Utility]:
    """Run a utility whose PKI no other test uses."""
    async with utility_in(tmp_path / "utility") as found:
        yield found


class Hub:
    """An enrolled hub: its files, its renewal at a time that a test sets, its connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ahead_s = 0.0
        self.alarms: dict[str, str | None] = {}
        section = load(path).utility[0]
        self.identity = IdentityFiles(section.certificate, section.key)
        self.trust = Trust(section.trust, section.crls)
        self.watch = CertificateWatch(self.identity, self.trust)

    def now(self) -> float:
        return time.time() + self.ahead_s

    async def asks(self) -> None:
        """Have a day's look done; a renewer of its own, for one looks once a day only."""
        await Renewer(lambda: load(self.path), self.now, self.alarms.__setitem__).look()
        self.watch.refresh()

    def session(self, utility: Utility) -> aiohttp.ClientSession:
        context = self.watch.cover(client_context(self.identity, self.trust))
        connector = aiohttp.TCPConnector(ssl=context)
        return aiohttp.ClientSession(utility.head_end.addresses.base_url, connector=connector)

    @property
    def roots(self) -> int:
        return len(read_certificates(self.trust.roots))

    @property
    def lfdi(self) -> str:
        return lfdi(der(read_certificates(self.identity.certificate)[0]))


async def enrolled(folder: Path, utility: Utility) -> Hub:
    folder.mkdir()  # noqa: ASYNC240 - in a test
    path = folder / "hems.toml"
    write(place(path), {}, 0.0)
    assert await enrol_by_code(Editor(path), (await utility.code()).text(), time.time) == []
    return Hub(path)


async def status(session: aiohttp.ClientSession) -> int:
    async with session.get("/edev") as answer:
        await answer.read()
        return answer.status


async def test_a_home_goes_on_before_during_and_after(utility: Utility, tmp_path: Path) -> None:
    hub = await enrolled(tmp_path / "home", utility)
    own, pki = hub.lfdi, utility.pki
    async with hub.session(utility) as kept:
        assert await status(kept) == 200
        began = roll_over.begin(pki, DAYS)
        await hub.asks()
        assert hub.roots == 2, "both count"
        assert await status(kept) == 200
        roll_over.switch(pki)
        utility.head_end.watch.refresh()
        await utility.head_end.est.keep()  # type: ignore[union-attr]
        assert await status(kept) == 200, "the open connection goes on"
        async with hub.session(utility) as new:
            assert await status(new) == 200, "and so does a new one"
        hub.ahead_s = 25 * DAY_S
        await hub.asks()
        chain = read_certificates(hub.identity.certificate)
        assert roots(pki)[0] == began.new
        assert chain[-1].issuer == began.new.subject, "in the second half it shows the new chain"
        assert hub.roots == 2
        assert await status(kept) == 200
        hub.ahead_s = 41 * DAY_S
        await hub.asks()
        assert read_certificates(hub.trust.roots) == [began.new], "the former one is forgotten"
        assert not lists.links_file(hub.trust).exists()
        assert len(read_crls(hub.trust.crls)) == 4
        roll_over.end(pki, now=datetime.now(UTC) + DAYS + timedelta(days=1))
        utility.head_end.watch.refresh()
    async with hub.session(utility) as after:
        assert await status(after) == 200
    assert hub.lfdi == own, "it is one and the same home all the time"
    await hub.asks()
    assert hub.alarms == {"utility": None}
    assert not list(hub.identity.certificate.parent.glob("*.moving"))


async def test_a_home_that_was_away_catches_up_while_its_root_counts(
    utility: Utility, tmp_path: Path
) -> None:
    hub = await enrolled(tmp_path / "home", utility)
    roll_over.begin(utility.pki, DAYS)
    roll_over.switch(utility.pki)
    utility.head_end.watch.refresh()
    await utility.head_end.est.keep()  # type: ignore[union-attr]
    hub.ahead_s = 39 * DAY_S
    await hub.asks()
    assert hub.roots == 2
    async with hub.session(utility) as session:
        assert await status(session) == 200


async def test_a_home_that_was_away_for_all_of_it_is_told_and_keeps_what_it_has(
    utility: Utility, tmp_path: Path
) -> None:
    hub = await enrolled(tmp_path / "home", utility)
    before = hub.trust.roots.read_bytes()
    roll_over.begin(utility.pki, DAYS)
    roll_over.switch(utility.pki)
    await utility.head_end.est.keep()  # type: ignore[union-attr]
    roll_over.end(utility.pki, now=datetime.now(UTC) + DAYS + timedelta(days=1))
    with pytest.raises(EstError) as caught:
        await renew_now(load(hub.path), time.time)
    assert caught.value.fault in {Fault.UNTRUSTED, Fault.REFUSED}
    assert hub.trust.roots.read_bytes() == before


async def test_a_new_home_may_come_at_any_time(utility: Utility, tmp_path: Path) -> None:
    early = await utility.code()
    roll_over.begin(utility.pki, DAYS)
    between = await utility.code()
    assert early.fingerprint == between.fingerprint
    roll_over.switch(utility.pki)
    utility.head_end.watch.refresh()
    late = await utility.code()
    assert late.fingerprint != early.fingerprint
    for code in (early, between, late):  # the server shows its former chain still, then the new
        issued = await client.enrol(code, new_key(), None, time.time)
        assert len(issued.roots) == 2
        await utility.head_end.est.keep()  # type: ignore[union-attr]
    hub = await enrolled(tmp_path / "home", utility)
    async with hub.session(utility) as session:
        assert await status(session) == 200


async def test_a_server_of_another_root_is_not_believed_whatever_it_says(
    utility: Utility, tmp_path: Path
) -> None:
    hub = await enrolled(tmp_path / "home", utility)
    before = hub.trust.roots.read_bytes()
    port = int(utility.est.rpartition(":")[2])
    await utility.head_end.__aexit__(None, None, None)
    async with utility_in(tmp_path / "evil", port=port) as evil:
        roll_over.begin(evil.pki, DAYS)
        with pytest.raises(EstError) as caught:
            await renew_now(load(hub.path), time.time)
    assert caught.value.fault is Fault.UNTRUSTED
    assert hub.trust.roots.read_bytes() == before
