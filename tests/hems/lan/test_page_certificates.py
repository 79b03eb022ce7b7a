"""The hub's CA and the page's certificates: what OpenSSL takes and refuses of them."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from certs import page
from certs.errors import CertificateError
from certs.issue import Authority, Validity
from hems.lan.identity import open_identity

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
NAMES = ("hems.local", "pi", "192.168.1.7", "fd00::7")
pytestmark = pytest.mark.requirement("ROLE-UI")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return page.issue_authority("A1B2C3", ["hems.local", "pi"])


def verified(folder: Path, authority: Authority, shown: page.PageCertificate, host: str) -> str:
    """Return what OpenSSL says of a certificate for a name at its time."""
    root, leaf = folder / "root.pem", folder / "leaf.pem"
    root.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    leaf.write_bytes(shown.certificate.public_bytes(Encoding.PEM))
    named = "-verify_ip" if page.address_of(host) else "-verify_hostname"
    done = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", "sslserver"),
            *("-attime", f"{NOW.timestamp():.0f}", "-CAfile", root, named, host, leaf),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("host", NAMES)
def test_openssl_takes_it_for_each_name(tmp_path: Path, authority: Authority, host: str) -> None:
    shown = page.issue_page(authority, NAMES, NOW)
    assert "OK" in verified(tmp_path, authority, shown, host)


@pytest.mark.parametrize("host", ["bank.example", "other.local", "8.8.8.8", "2001:4860::8888"])
def test_the_ca_cannot_vouch_for_the_rest_of_the_world(
    tmp_path: Path, authority: Authority, host: str
) -> None:
    assert page.covered(authority.certificate, [host]) == []
    forged = page.issue_page(authority, [host], NOW)
    assert "permitted subtree violation" in verified(tmp_path, authority, forged, host)


@given(
    st.lists(
        st.sampled_from(["hems.local", "x.hems.local", "xhems.local", "pi", "10.1.2.3", "11.1.2.3"])
    )
)
def test_what_is_covered_is_what_openssl_would_take(names: list[str]) -> None:
    made = page.issue_authority("A1", ["hems.local", "pi"])
    taken = {"hems.local", "x.hems.local", "pi", "10.1.2.3"}
    assert page.covered(made.certificate, names) == [name for name in names if name in taken]


@pytest.mark.parametrize(
    ("later", "names", "due"),
    [
        (timedelta(0), NAMES, False),
        (timedelta(days=19), NAMES, False),
        (timedelta(days=20), NAMES, True),
        (timedelta(days=300), NAMES, True),
        (timedelta(days=-1), NAMES, True),  # the clock was set back
        (timedelta(0), (*NAMES, "192.168.1.8"), True),
        (timedelta(0), NAMES[:2], True),
        (timedelta(0), NAMES[::-1], False),
    ],
)
def test_when_it_is_renewed(
    authority: Authority, later: timedelta, names: tuple[str, ...], *, due: bool
) -> None:
    shown = page.issue_page(authority, NAMES, NOW).certificate
    assert page.due(shown, names, NOW + later) is due


def test_the_ca_is_made_once_and_its_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    first = open_identity(folder, "pi", ["hub.lan"], "A1")
    again = open_identity(folder, "pi", [], "B2")
    assert first.authority == again.authority
    assert (folder / "authority.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_kept_certificate_is_used_until_it_is_due(tmp_path: Path) -> None:
    at = NOW.timestamp()
    first = open_identity(tmp_path, "pi", [], "A1")
    assert await first.follow(NAMES, at)
    assert not await first.follow(NAMES, at)
    again = open_identity(tmp_path, "pi", [], "A1")
    assert not await again.follow(NAMES, at)
    assert again.shown == first.shown
    assert (tmp_path / "page.pem").stat().st_mode & 0o777 == 0o600
    assert await again.follow(NAMES, at + 21 * 86_400)


async def test_a_name_set_after_the_ca_was_made_is_left_out_and_named(tmp_path: Path) -> None:
    identity = open_identity(tmp_path, "pi", [], "A1")
    await identity.follow(("hems.local", "new.example"), NOW.timestamp())
    assert identity.left_out == ("new.example",)
    assert identity.shown is not None
    assert page.names_of(identity.shown) == ["hems.local"]


@pytest.mark.parametrize("damage", ["authority.pem", "authority.key"])
def test_a_damaged_ca_is_said_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    open_identity(tmp_path, "pi", [], "A1")
    (tmp_path / damage).write_text("nothing")
    with pytest.raises(CertificateError, match=damage):
        open_identity(tmp_path, "pi", [], "A1")
    assert (tmp_path / damage).read_text() == "nothing"


@pytest.mark.parametrize("content", ["", "garbage", "other"])
async def test_a_damaged_or_foreign_certificate_is_made_anew(tmp_path: Path, content: str) -> None:
    other = open_identity(tmp_path / "other", "pi", [], "A1")
    await other.follow(NAMES, NOW.timestamp())
    kept = (tmp_path / "other" / "page.pem").read_bytes()
    identity = open_identity(tmp_path / "own", "pi", [], "A1")
    file = tmp_path / "own" / "page.pem"
    file.write_bytes(kept if content == "other" else content.encode())
    file.chmod(0o600)
    assert await identity.follow(NAMES, NOW.timestamp())
    assert identity.shown is not None
    identity.shown.verify_directly_issued_by(identity.authority)


async def test_a_hub_that_does_not_know_the_time_yet_has_a_certificate_all_the_same(
    tmp_path: Path,
) -> None:
    identity = open_identity(tmp_path, "pi", [], "A1")
    assert await identity.follow(NAMES, 0.0)
    assert await identity.follow(NAMES, NOW.timestamp()), "the clock was set: a new one"
    assert Validity.since(NOW).not_before > identity.authority.not_valid_before_utc
