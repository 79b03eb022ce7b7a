"""The commands of both sides: what the service provider signs, and what a hub makes of it."""

import asyncio
import json
from importlib.metadata import version
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.issue import new_key
from certs.pki import Pki
from hems.cli import main
from hems.emg.firmware.lists import Refreshed
from hems.headend.firmware.repository import FirmwareRepository
from hems.headend.server import HeadEnd
from tests.hems.feeds.conftest import Operator


async def _run(*arguments: object) -> int:
    return await asyncio.to_thread(main, [str(each) for each in arguments])


@pytest.fixture
def door(head_end: HeadEnd, tmp_path: Path) -> Path:
    """Where the commands find the operator's door."""
    file = tmp_path / "operator.json"
    where = {"url": head_end.addresses.operator_url, "token": head_end.token}
    file.write_text(json.dumps(where))
    return file


@pytest.fixture
def home(head_end: HeadEnd, pki: Pki, tmp_path: Path) -> Path:
    """The configuration of a home that reads the lists."""
    own, trust = pki.identity("home"), pki.trust
    file = tmp_path / "home.toml"
    file.write_text(
        "[utility]\n"
        f'url = "{head_end.addresses.dcap_url}"\n'
        f'certificate = "{own.certificate}"\nkey = "{own.key}"\n'
        f'trust = "{trust.roots}"\ncrls = "{trust.crls}"\npin = "123455"\n'
        "[firmware]\n"
        f'url = "{head_end.addresses.base_url}/firmware"\n'
        f'root = "{tmp_path / "lists" / "root.json"}"\n'
    )
    return file


@pytest.mark.requirement("L2-FEED")
async def test_an_operator_says_and_takes_back(
    door: Path, operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    bulletin = ("headend", "bulletin")
    there = ("--operator", door)
    for words in (
        ("alert", "worm-1", "Pull the plug.", "--network", "203.0.113.0/24", "--hours", "5"),
        ("firmware", "--manufacturer", "Acme", "--below", "1.4", "--why", "it burns"),
        ("distrust", "--manufacturer", "Acme", "--serial", "7", "--why", "it was stolen"),
        ("severity", "login-failed", "critical"),
    ):
        assert await _run(*bulletin, *words, *there) == 0
    assert await _run(*bulletin, "publish", *there) == 0
    capsys.readouterr()
    assert await _run(*bulletin, "list", *there) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("bulletin 1 counts until")
    assert len(said) == 5
    assert await _run(*bulletin, "withdraw", said[1].split()[0], *there) == 0
    entries = (await operator.ask("GET", "/bulletin"))[1]["entries"]
    assert isinstance(entries, list)
    assert len(entries) == 3
    assert await _run(*bulletin, "withdraw", "nothing", *there) == 1
    assert "no entry 'nothing'" in capsys.readouterr().err
    wide = ("alert", "x", "y", "--network", "0.0.0.0/0")
    assert await _run(*bulletin, *wide, *there) == 1
    assert "cut off half the world" in capsys.readouterr().err
    assert await _run("headend", "statistics", *there) == 0
    assert "0 homes have told" in capsys.readouterr().out


@pytest.mark.requirement("L2-FIRMWARE", "LC-PATCH")
async def test_from_an_offer_to_a_verified_package(
    home: Path,
    operator: Operator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del operator  # it has entered the home
    firmware, there = ("headend", "firmware"), ("--folder", tmp_path / "lists")
    package = tmp_path / "hems-99.0.0-py3-none-any.whl"
    package.write_bytes(b"PK the next version")
    assert await _run("firmware", "refresh", "--config", home) == 1
    assert "root.json" in capsys.readouterr().err, "there is no root of trust yet"
    assert await _run(*firmware, "init", *there) == 0
    assert await _run(*firmware, "init", *there) == 1
    assert await _run(*firmware, "add-vendor", "hems", *there) == 0
    sun = ("--manufacturer", "Acme", "--model", "Sun 5")
    assert await _run(*firmware, "offer", "hems", "1.4", *sun, *there) == 0
    assert await _run(*firmware, "offer", "hems", "99.0.0", *there) == 1
    assert "needs its package" in capsys.readouterr().err
    assert await _run(*firmware, "offer", "hems", "99.0.0", "--file", package, *there) == 0
    assert await _run(*firmware, "publish", *there) == 0
    assert "hems: not approved as it stands" in capsys.readouterr().out
    assert await _run("update", "check", "--config", home) == 1
    assert "has not approved it" in capsys.readouterr().err

    assert await _run(*firmware, "approve", "hems", *there) == 0
    assert await _run(*firmware, "publish", *there) == 0
    capsys.readouterr()
    assert await _run("firmware", "refresh", "--config", home, "--json") == 0
    found = Refreshed.model_validate_json(capsys.readouterr().out)
    assert [each.version for each in found.lists[0].firmware] == ["1.4"]
    assert await _run("update", "fetch", "--config", home, "--out", tmp_path / "hub") == 0
    said = capsys.readouterr().out
    assert f"99.0.0 is newer than {version('hems')}" in said
    assert (tmp_path / "hub" / package.name).read_bytes() == package.read_bytes()

    bad = ("withdraw", "hems", "99.0.0", "--why", "it leaks")
    assert await _run(*firmware, *bad, *there) == 0
    assert await _run(*firmware, "approve", "hems", *there) == 0
    assert await _run(*firmware, "publish", *there) == 0
    capsys.readouterr()
    assert await _run("update", "check", "--config", home) == 0
    assert "nothing newer" in capsys.readouterr().out
    assert await _run(*firmware, "list", *there) == 0
    assert "hems-99.0.0-py3-none-any.whl 99.0.0: untrusted" in capsys.readouterr().out


async def test_a_vendor_may_keep_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = FirmwareRepository(tmp_path / "lists")
    lists.make(root_keys=1, threshold=1)
    there = ("--folder", tmp_path / "lists")
    theirs = new_key()
    public = tmp_path / "vendor.pem"
    public.write_bytes(
        theirs.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    vendor = ("headend", "firmware", "add-vendor", "acme", *there)
    assert await _run(*vendor, "--public", tmp_path / "nowhere.pem") == 1
    assert await _run(*vendor, "--public", public) == 0
    assert await _run(*vendor) == 1
    assert "known already" in capsys.readouterr().err
    sun = ("1.4", "--manufacturer", "Acme", "--model", "Sun 5")
    assert await _run("headend", "firmware", "offer", "acme", *sun, *there) == 1
    assert "0 of its 1 keys are in" in capsys.readouterr().err
    assert await _run("headend", "firmware", "approve", "nobody", *there) == 1
    assert "there is no vendor nobody" in capsys.readouterr().err


async def test_a_signer_is_made_for_one_purpose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _run("pki", "init", tmp_path / "pki") == 0
    assert await _run("pki", "signer", tmp_path / "pki", "--name", "news") == 0
    assert (tmp_path / "pki" / "issued" / "news.key").exists()
    assert await _run("pki", "signer", tmp_path / "pki", "--name", "news") == 1
    assert "this identity exists" in capsys.readouterr().err
