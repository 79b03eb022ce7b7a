"""A home that renews with one key, loses the answer, and renews with another: one home is left."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.est import client
from certs.est.answer import Issued
from certs.est.client import Holder
from certs.identity import IdentityFiles, lfdi
from certs.issue import new_key
from certs.pem import der, read_crls, write_certificates, write_key
from certs.pki import Pki
from certs.verify import hardware_name
from hems.headend.est.register import Register
from hems.headend.est.settings import EstSettings
from hems.headend.fleet.settings import FleetSettings
from hems.headend.settings import HeadEndSettings
from tests.hems.headend.conftest import Home
from tests.hems.headend.enrolling import Utility, running

pytestmark = pytest.mark.requirement("L3-IDENTITY", "L3-LIFECYCLE", "L3-ROOT")


@dataclass
class Hub:
    """A hub at a utility, and the certificates that it was given, the first one first."""

    utility: Utility
    folder: Path
    given: list[Issued]
    files: list[IdentityFiles]

    def lfdi(self, number: int) -> str:
        return lfdi(der(self.given[number].chain[0]))

    @property
    def homes(self) -> set[str]:
        return {home.lfdi for home in self.utility.head_end.book.homes}

    def keep(self, issued: Issued, key: object) -> None:
        place = self.folder / str(len(self.given))
        place.mkdir()
        files = IdentityFiles(place / "own.pem", place / "own.key")
        write_certificates(files.certificate, issued.chain)
        write_key(files.key, key)  # type: ignore[arg-type] # as it was made
        self.given.append(issued)
        self.files.append(files)

    async def renew(self) -> None:
        """Renew the first certificate with a key of its own."""
        first, key = self.given[0], new_key()
        holder = Holder(self.files[0], hardware_name(first.chain[0]))
        self.keep(await client.renew(self.utility.est, first, holder, key, time.time), key)

    async def come_in(self, number: int) -> int:
        base = self.utility.head_end.addresses.base_url
        there = Home(self.files[number], self.utility.pki, base)
        try:
            return (await there.ask("GET", "/edev")).status
        finally:
            await there.aclose()

    @property
    def register(self) -> Register:
        est = self.utility.head_end.est
        assert est is not None
        return est.register


@pytest.fixture(params=[False, True])
async def hub(
    settings: HeadEndSettings, pki: Pki, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Hub]:
    """At a utility whose homes are, or are not, all hubs of its fleet."""
    est = EstSettings(pki=pki.folder, lifetime_days=365)
    strict = settings.model_copy(update={"fleet": FleetSettings(strict=request.param)})
    async with running(strict, pki, est) as utility:
        made, key = Hub(utility, tmp_path, [], []), new_key()
        made.keep(await client.enrol(await utility.code(), key, None, time.time), key)
        yield made


@pytest.mark.parametrize("came", [1, 2])
async def test_of_two_renewals_the_one_that_is_used_is_left(hub: Hub, came: int) -> None:
    await hub.renew()
    await hub.renew()
    assert len(hub.homes) == 3
    assert await hub.come_in(came) == 200
    await hub.register.supersede()
    assert hub.homes == {hub.lfdi(came)}
    unused = hub.given[3 - came].chain[0]
    lists = read_crls(hub.utility.pki.trust.crls)
    found = [each for each in lists if each.issuer == unused.issuer]
    assert any(
        each.get_revoked_certificate_by_serial_number(unused.serial_number) for each in found
    )
    status, text, _ = await hub.utility.post(
        b"", operation="simplereenroll", identity=hub.files[3 - came]
    )
    assert status == 403, text
    assert await hub.register.supersede() == []
    assert await hub.come_in(came) == 200
    _, told = await hub.utility.operator.ask("GET", "/fleet/hubs")
    assert {each["lfdi"] for each in told["hubs"]} <= {hub.lfdi(came)}


async def test_two_renewals_that_are_both_used_are_both_left(hub: Hub) -> None:
    """Nobody can say which of them is the hub: the operator sees both, and revokes one."""
    await hub.renew()
    await hub.renew()
    assert [await hub.come_in(number) for number in (1, 2)] == [200, 200]
    await hub.register.supersede()
    assert hub.homes == {hub.lfdi(1), hub.lfdi(2)}
    await hub.register.revoke(hub.lfdi(1))
    assert hub.homes == {hub.lfdi(2)}
