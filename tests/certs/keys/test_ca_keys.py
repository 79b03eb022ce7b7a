"""A certificate authority whose keys are in hardware: issues, revokes, gets a new root."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import roll_over
from certs.errors import CertificateError, PkiError
from certs.est import client
from certs.identity import lfdi
from certs.issue import new_key
from certs.keys.backend import Held
from certs.keys.opening import Kind
from certs.pem import der, read_certificates, read_crls
from certs.pki import init_pki, issue_device, open_pki, revoke, roots
from certs.verify import Role, check_peer, revoked
from tests.certs.keys.conftest import HARDWARE, settings_of
from tests.hems.headend.enrolling import utility_in

pytestmark = pytest.mark.requirement("L2-KEYS", "L3-ROOT")

HELD = {Kind.PKCS11: Held.TOKEN, Kind.TPM: Held.TPM}


@pytest.mark.parametrize("kind", HARDWARE)
def test_all_that_an_authority_does_is_signed_in_hardware(
    kind: Kind, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = settings_of(kind, request, tmp_path)
    init_pki(tmp_path / "pki", store=store)
    pki = open_pki(tmp_path / "pki")
    assert {pki.ca.keys.held(key) for key in pki.ca.folder.glob("*.key")} == {HELD[kind]}
    home = read_certificates(issue_device(pki, "home").certificate)
    check_peer((*home, *roots(pki)), Role.CLIENT, read_crls(pki.trust.crls))
    revoke(pki, home[0])
    assert revoked(home[0], read_crls(pki.trust.crls))
    lasting = timedelta(days=2)
    began = roll_over.begin(pki, lasting)
    roll_over.switch(pki)
    key = pki.folder / "ca" / "2" / "root.key"
    assert pki.ca.keys.held(key) == HELD[kind]
    roll_over.end(pki, now=datetime.now(UTC) + lasting + timedelta(hours=1))
    assert roots(pki) == [began.new]


@pytest.mark.parametrize("kind", HARDWARE)
async def test_a_utility_enrols_and_revokes_by_keys_in_hardware(
    kind: Kind, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = settings_of(kind, request, tmp_path)
    async with utility_in(tmp_path / "utility", store, lifetime_days=9) as utility:
        issued = await client.enrol(await utility.code(), key := new_key(), None, time.time)
        assert issued.chain[0].public_key() == key.public_key()
        own = lfdi(der(issued.chain[0]))
        status, _ = await utility.operator.ask("POST", f"/homes/{own}/revoke", {})
        assert status == 200
        assert revoked(issued.chain[0], read_crls(utility.pki.trust.crls))


@pytest.mark.parametrize("kind", HARDWARE)
def test_a_beginning_that_fails_leaves_no_key_behind(
    kind: Kind, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pki = init_pki(tmp_path / "pki", store=settings_of(kind, request, tmp_path))
    erased: list[Path] = []
    keys, erase = pki.ca.keys, type(pki.ca.keys).erase

    def noted(_: object, path: Path) -> object:
        erased.append(path)
        return erase(keys, path)

    monkeypatch.setattr(type(keys), "erase", noted)
    (pki.ca.folder / "2").write_text("in the way")
    with pytest.raises(PkiError, match="cannot be kept"):
        roll_over.begin(pki, timedelta(days=2))
    assert [path.name for path in erased] == ["root.key"]
    assert [path.name for path in pki.ca.folder.glob(".root.*")] == []
    with pytest.raises(CertificateError, match="does not exist"):
        keys.public(erased[0])
