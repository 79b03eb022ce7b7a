"""A utility takes a home's certificate back: what the home may do then, and how its hub learns."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from certs.est import client
from certs.est.errors import EstError, Fault
from certs.identity import IdentityFiles, Trust, lfdi
from certs.issue import new_key
from certs.pem import der, read_certificates
from certs.pki import Pki
from certs.tls import client_context
from hems import own_certificate
from hems.headend.est.lineage import line_from
from hems.headend.est.records import Enrolment, State
from hems.headend.est.settings import EstSettings
from hems.headend.modes import Edition
from hems.headend.settings import HeadEndSettings
from hems.own_certificate import Files, OwnCertificate
from hems.settings.config import load
from hems.settings.settings_file import place, write
from hems.settings.utility_section import UtilitySection
from hems.setup.editing import Editor
from hems.setup.enrolment_code import enrol_by_code
from hems.setup.enrolment_renewal import renew_now
from tests.hems.headend.enrolling import Utility, running
from tests.waiting import until

pytestmark = pytest.mark.requirement("L2-KEYS", "L1-AUTH", "L3-IDENTITY")


@pytest.fixture
async def utility(settings: HeadEndSettings, pki: Pki) -> AsyncIterator[Utility]:
    async with running(settings, pki, EstSettings(pki=pki.folder, lifetime_days=365)) as found:
        yield found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The configuration of a home that is not enrolled yet."""
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "hems.toml"
    write(place(path), {}, 0.0)
    return path


async def enrolled(path: Path, utility: Utility) -> UtilitySection:
    assert await enrol_by_code(Editor(path), (await utility.code()).text(), time.time) == []
    return load(path).utility[0]


def own(section: UtilitySection) -> str:
    return lfdi(der(read_certificates(section.certificate)[0]))


def files(section: UtilitySection) -> Files:
    identity = IdentityFiles(section.certificate, section.key)
    return Files(identity, Trust(section.trust, section.crls), section.est)


def session(section: UtilitySection, utility: Utility) -> aiohttp.ClientSession:
    found = files(section)
    connector = aiohttp.TCPConnector(ssl=client_context(found.identity, found.trust))
    return aiohttp.ClientSession(utility.head_end.addresses.base_url, connector=connector)


async def revoke(utility: Utility, name: str) -> tuple[int, list[str]]:
    status, said = await utility.operator.ask("POST", f"/homes/{name}/revoke", {})
    return status, [each["lfdi"] for each in said.get("enrolments", [])]


async def test_its_connection_ends_at_the_next_request_and_no_other_begins(
    utility: Utility, path: Path
) -> None:
    section = await enrolled(path, utility)
    async with session(section, utility) as open_one, session(section, utility) as new_one:
        async with open_one.get("/edev") as answer:
            assert answer.status == 200
        assert await revoke(utility, own(section).lower()) == (200, [own(section)])
        with pytest.raises(aiohttp.ClientError):
            await open_one.get("/edev")
        with pytest.raises(aiohttp.ClientError, match="REVOKED"):
            await new_one.get("/edev")
    assert utility.head_end.book.homes == ()
    assert await revoke(utility, own(section)) == (200, [own(section)]), "asked again: the same"
    assert await revoke(utility, "AB" * 20) == (404, [])


async def test_neither_its_key_nor_its_code_gets_another_certificate(utility: Utility) -> None:
    code, key = await utility.code(), new_key()
    issued = await client.enrol(code, key, None, time.time)
    await revoke(utility, lfdi(der(issued.chain[0])))
    for used in (key, new_key()):
        with pytest.raises(EstError) as caught:
            await client.enrol(code, used, None, time.time)
        assert caught.value.fault in {Fault.REFUSED, Fault.SPENT}
    assert utility.head_end.book.homes == ()


async def test_what_was_renewed_from_it_is_revoked_with_it(utility: Utility, path: Path) -> None:
    first = await enrolled(path, utility)
    before = own(first)
    assert [own(each) for each in await renew_now(load(path), time.time)] == [own(first)]
    after = own(first)
    assert after != before
    assert await revoke(utility, before) == (200, [before, after])
    assert utility.head_end.book.homes == ()
    with pytest.raises(EstError):
        await renew_now(load(path), time.time)


async def test_it_outlives_a_restart(settings: HeadEndSettings, pki: Pki, path: Path) -> None:
    est = EstSettings(pki=pki.folder, lifetime_days=365)
    async with running(settings, pki, est) as utility:
        section = await enrolled(path, utility)
        await revoke(utility, own(section))
    async with running(settings, pki, est) as utility:
        _, found = await utility.operator.ask("GET", "/enrolments")
        assert [each["state"] for each in found["enrolments"]] == ["revoked"]
        assert utility.head_end.book.homes == ()


async def test_enrolled_anew_it_is_another_home_and_the_revoked_key_is_erased(
    utility: Utility, path: Path
) -> None:
    first = await enrolled(path, utility)
    second = await enrolled(path, utility)
    assert first.key.exists(), "it still counts, and may be gone back to"
    await revoke(utility, own(second))
    third = await enrolled(path, utility)
    assert len({own(first), own(second), own(third)}) == 3
    assert (first.key.exists(), second.key.exists(), third.key.exists()) == (True, False, True)
    async with session(third, utility) as there, there.get("/edev") as answer:
        assert own(third).encode() in await answer.read()


async def test_a_hub_that_is_refused_asks_the_authority(
    utility: Utility, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_certificate, "ASK_AGAIN_S", 0.05)
    section, told = await enrolled(path, utility), list[bool]()
    where = files(section)
    deaf = OwnCertificate(replace(where, authority="127.0.0.1:1"), lambda: True, told.append)
    counts = OwnCertificate(where, lambda: True, told.append)
    tasks = [asyncio.create_task(each.run()) for each in (deaf, counts)]
    try:
        counts.doubt()
        deaf.doubt()
        await asyncio.sleep(0.3)
        assert told == [], "whoever refuses it: its authority has not taken it back"
        await revoke(utility, own(section))
        await counts.look()
        assert told == [], "nobody has told it yet"
        counts.doubt()

        async def seen() -> list[bool]:
            return told

        await until(seen, lambda found: found == [True, True], 10.0, "both know, by one list")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_hub_knows_by_its_own_lists_at_its_next_start(utility: Utility, path: Path) -> None:
    section, told = await enrolled(path, utility), list[bool]()
    section.crls.write_bytes(utility.pki.trust.crls.read_bytes())
    await OwnCertificate(files(section), lambda: False, told.append).look()
    assert told == []
    await revoke(utility, own(section))
    section.crls.write_bytes(utility.pki.trust.crls.read_bytes())
    await OwnCertificate(files(section), lambda: False, told.append).look()
    assert told == [True]
    section.crls.write_bytes(b"damaged")
    await OwnCertificate(files(section), lambda: False, told.append).look()
    assert told == [True]


@pytest.mark.parametrize(
    ("pairs", "of", "line"),
    [
        ([("A", "")], "A", "A"),
        ([("A", ""), ("B", "A"), ("C", "B")], "A", "ABC"),
        ([("A", ""), ("B", "A"), ("C", "B")], "B", "BC"),
        ([("C", "B"), ("B", "A"), ("A", "")], "A", "ABC"),
        ([("A", ""), ("B", ""), ("C", "B")], "A", "A"),
        ([("A", ""), ("", "A"), ("B", "")], "A", "-A"),
    ],
)
def test_a_line_of_renewals_is_followed_to_its_end(
    pairs: list[tuple[str, str]], of: str, line: str
) -> None:
    every = [
        Enrolment(f"{i}", f"{i}", "1.2", "AA", State.ISSUED, 0.0, Edition.CSIP_AUS)
        for i, _ in enumerate(pairs)
    ]
    named = [
        replace(each, lfdi=name, replaces=before)
        for each, (name, before) in zip(every, pairs, strict=True)
    ]
    assert "".join(sorted(each.lfdi or "-" for each in line_from(named, of))) == line
