"""A PKI gets a new root: on disk, in real handshakes, and with its keys in a token."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import roll_over
from certs.errors import CertificateError, PkiError
from certs.identity import IdentityFiles, Trust
from certs.pem import read_certificates, read_crls, write_certificates, write_crls
from certs.pki import Pki, authorities, issue_device, issue_service, renew_crls, revoke, roots
from certs.tls import client_context, server_context
from tests.certs.test_resumption import echoing, resumed

pytestmark = pytest.mark.requirement("L3-ROOT", "L2-KEYS")

DAYS = timedelta(days=30)


def copied(trust: Trust, folder: Path) -> Trust:
    """Return trust as a home holds it: it hears of nothing by itself."""
    folder.mkdir()
    mine = Trust(folder / "roots.pem", folder / "crls.pem")
    mine.roots.write_bytes(trust.roots.read_bytes())
    mine.crls.write_bytes(trust.crls.read_bytes())
    return mine


async def meet(server: IdentityFiles, by: Trust, client: IdentityFiles, of: Trust) -> None:
    async with echoing(server_context(server, by)) as port:
        assert not await resumed(port, client_context(client, of))


def test_it_begins_and_what_is_in_use_stays(pki: Pki) -> None:
    before = {path: path.read_bytes() for path in (pki.folder / "issued").iterdir()}
    (former,) = roots(pki)
    found = roll_over.begin(pki, DAYS)
    assert found.former == former
    assert not found.switched
    assert found.ends is not None
    assert DAYS - timedelta(minutes=1) < found.ends - datetime.now(UTC) <= DAYS
    assert read_certificates(pki.trust.roots) == [former, found.new]
    assert len(read_crls(pki.trust.crls)) == 5
    assert len(authorities(pki)) == 9
    assert before == {path: path.read_bytes() for path in (pki.folder / "issued").iterdir()}
    assert roll_over.begin(pki, DAYS) == found, "begun again it is the same"


async def test_homes_and_servers_of_before_and_after_take_each_other(
    pki: Pki, tmp_path: Path
) -> None:
    late = copied(pki.trust, tmp_path / "late")
    early = issue_device(pki, "early")
    service = pki.identity("utility")
    roll_over.begin(pki, DAYS)
    await meet(service, pki.trust, early, late)
    assert {path.stem for path in roll_over.switch(pki)} == {"early", "hub", "utility"}
    assert roll_over.switch(pki) == [], "done again it does no harm"
    new_home, new_service = issue_device(pki, "new"), issue_service(pki, "two", hosts=["localhost"])
    for server in (service, new_service):
        for home in (early, new_home):
            await meet(server, pki.trust, home, pki.trust)
    # Who knows the former root only finds over the link; it lacks but the new root's list.
    write_crls(late.crls, read_crls(pki.trust.crls))
    await meet(service, pki.trust, early, late)
    await meet(new_service, pki.trust, early, late)
    only_new = copied(pki.trust, tmp_path / "new")
    write_certificates(only_new.roots, [roll_over.standing(pki).new])
    await meet(new_service, only_new, new_home, only_new)
    await meet(service, only_new, early, only_new)


async def test_in_the_end_the_former_root_is_gone(pki: Pki) -> None:
    (former,) = roots(pki)
    began = roll_over.begin(pki, DAYS)
    with pytest.raises(PkiError, match="switch first"):
        roll_over.end(pki)
    roll_over.switch(pki)
    with pytest.raises(PkiError, match="until"):
        roll_over.end(pki)
    after = datetime.now(UTC) + DAYS + timedelta(days=1)
    roll_over.end(pki, now=after)
    roll_over.end(pki, now=after)
    assert not (pki.folder / "ca" / "root.key").exists(), "its key is erased"
    assert roots(pki) == read_certificates(pki.trust.roots) == [began.new]
    assert former not in authorities(pki)
    assert len(authorities(pki)) == len(read_crls(pki.trust.crls)) == 4
    revoke(pki, read_certificates(issue_device(pki, "lost").certificate)[0])
    renew_crls(pki)
    await meet(pki.identity("utility"), pki.trust, pki.identity("hub"), pki.trust)


def test_one_root_follows_another_as_often_as_needed(pki: Pki) -> None:
    now = datetime.now(UTC)
    names = []
    for _ in range(3):
        found = roll_over.begin(pki, DAYS, now=now)
        roll_over.switch(pki)
        now += DAYS + timedelta(days=1)
        roll_over.end(pki, now=now)
        names.append(found.new.subject.rfc4514_string())
        chain = read_certificates(pki.identity("utility").certificate)
        assert len(chain) == 3, "one link, never two"
    assert names == ["CN=HEMS test root 2", "CN=HEMS test root 3", "CN=HEMS test root 4"]


def test_a_power_cut_in_the_middle_of_the_beginning_is_ended_by_the_next_one(pki: Pki) -> None:
    before = pki.trust.roots.read_bytes(), pki.trust.crls.read_bytes()
    roll_over.begin(pki, DAYS)
    made = roots(pki)
    pki.trust.roots.write_bytes(before[0])
    pki.trust.crls.write_bytes(before[1])
    roll_over.begin(pki, DAYS)
    assert read_certificates(pki.trust.roots) == roots(pki) == made
    assert len(read_crls(pki.trust.crls)) == 5


def test_what_makes_no_sense_is_refused_and_changes_nothing(pki: Pki) -> None:
    before = {path: path.read_bytes() for path in pki.folder.rglob("*") if path.is_file()}
    with pytest.raises(PkiError, match="a day at least"):
        roll_over.begin(pki, timedelta(hours=1))
    with pytest.raises(PkiError, match="no other root"):
        roll_over.switch(pki)
    key = pki.folder / "ca" / "root.key"
    good = key.read_bytes()
    key.write_text("garbage")
    with pytest.raises(CertificateError, match=r"root\.key"):
        roll_over.begin(pki, DAYS)
    key.write_bytes(good)
    assert before == {p: p.read_bytes() for p in pki.folder.rglob("*") if p.is_file()}
