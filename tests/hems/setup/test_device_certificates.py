"""Devices enrolled through the hub: what they are given, its renewal, and that its end is told."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from certs import issue
from certs.errors import CertificateError
from certs.keys.store import KeyStore
from certs.pem import read_certificates
from hems.settings.config import load
from hems.setup.device_certificates import SOON, DeviceCertificates
from hems.setup.device_enrolment import (
    DeviceEnrolmentError,
    Enrolled,
    enrol_device,
    issued_file,
    renew_device,
)
from hems.setup.device_file import find

pytestmark = pytest.mark.requirement("L1-AGENT", "L2-KEYS", "L3-IDENTITY")

NOW = datetime.now(UTC)
HOME = """
[[device]]
id = "battery"
kind = "battery"
name = "Big battery"
driver = "sunspec"
host = "127.0.0.1"
port = 802
min = "-5 kW"
max = "5 kW"
[[device]]
id = "car"
kind = "evse"
name = "Car"
driver = "ocpp16"
station = "EVSE-17"
max = "7.4 kW"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "hems.toml"
    path.parent.mkdir()
    path.write_text(HOME)
    return path


def made(
    config: Path, out: Path, *, name: str = "battery", now: datetime = NOW, renew: bool = False
) -> Enrolled:
    device, home = find(load(config), name), config.parent
    make = renew_device if renew else enrol_device
    return make(device, home, KeyStore(), out, now)


class Ends:
    """What is told of ends, at a time that a test sets."""

    def __init__(self, config: Path) -> None:
        self.now = NOW
        self.told: list[tuple[str, str | None]] = []
        self.watch = DeviceCertificates(
            lambda: load(config),
            config.parent,
            self._at,
            lambda name, text: self.told.append((name, text)),
        )

    def _at(self) -> float:
        return self.now.timestamp()

    async def at(self, now: datetime) -> list[tuple[str, str | None]]:
        self.now, self.told = now, []
        await self.watch.look()
        return self.told


async def shaken(device: Enrolled, hub: Enrolled) -> bytes:
    """Return the certificate that a device shows the hub, both as they were told to."""
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    there.load_cert_chain(device.device.certificate, device.device.key)
    there.load_verify_locations(device.trust)
    there.verify_mode = ssl.CERT_REQUIRED
    here = ssl.create_default_context(cafile=str(hub.authority))
    here.load_cert_chain(hub.hub.certificate, hub.hub.key)

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=there)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=here)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
    return bytes(shown)


async def test_the_next_certificate_is_for_the_key_that_the_device_has(
    config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = made(config, out)
    before, key = await shaken(first, first), first.device.key.read_bytes()
    later = NOW + timedelta(days=700)
    second = made(config, out, now=later, renew=True)
    assert second.key == first.key, "the hub goes on knowing it"
    assert second.until > first.until
    assert first.device.key.read_bytes() == key
    after = read_certificates(second.device.certificate)[0].public_bytes(Encoding.DER)
    assert after != before
    again = made(config, out, now=NOW, renew=True)
    assert await shaken(again, first) != before, "renewed early it counts at once"


def test_a_device_may_keep_its_key_to_itself(config: Path, tmp_path: Path) -> None:
    key, path = issue.new_key(), tmp_path / "battery.csr"
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    device, out = find(load(config), "battery"), tmp_path / "out"
    found = enrol_device(device, config.parent, KeyStore(), out, NOW, request=path)
    (certificate,) = read_certificates(found.device.certificate)
    assert certificate.public_key() == key.public_key()
    assert not found.device.key.exists()


@pytest.mark.parametrize("bad", ["missing", "garbage", "rsa"])
def test_a_request_that_is_none_is_named_and_nothing_is_made(
    config: Path, tmp_path: Path, bad: str
) -> None:
    path, out = tmp_path / "battery.csr", tmp_path / "out"
    if bad == "garbage":
        path.write_text("garbage")
    elif bad == "rsa":
        key = rsa.generate_private_key(65537, 2048)
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    device = find(load(config), "battery")
    with pytest.raises(CertificateError, match=r"battery\.csr"):
        enrol_device(device, config.parent, KeyStore(), out, NOW, request=path)
    assert not out.exists()
    assert not issued_file(config.parent, "battery").exists()


def test_what_was_given_to_nobody_is_not_renewed(config: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceEnrolmentError, match="was given no certificate"):
        made(config, tmp_path / "out", renew=True)


def test_no_certificate_outlives_the_authority(config: Path, tmp_path: Path) -> None:
    made(config, tmp_path / "out")
    (authority,) = read_certificates(config.parent / "identity" / "devices" / "authority.pem")
    late = authority.not_valid_after_utc - timedelta(days=30)
    assert made(config, tmp_path / "out", now=late, renew=True).until == (
        authority.not_valid_after_utc
    )


async def test_its_end_is_told_in_time_until_the_next_one_is_made(
    config: Path, tmp_path: Path
) -> None:
    ends = Ends(config)
    assert await ends.at(NOW) == [], "who was given nothing is not told of"
    given = made(config, tmp_path / "out")
    made(config, tmp_path / "out", name="car")
    assert await ends.at(given.until - SOON - timedelta(seconds=1)) == []
    soon = dict(await ends.at(given.until - SOON))
    assert set(soon) == {"device battery", "device car"}
    text = soon["device battery"] or ""
    assert f"Big battery ends on {given.until:%Y-%m-%d}" in text
    assert "hems agent enrol-device battery --renew" in text
    over = dict(await ends.at(given.until))
    assert "Big battery ended on" in (over["device battery"] or "")
    made(config, tmp_path / "out", now=given.until, renew=True)
    told = dict(await ends.at(given.until))
    assert told["device battery"] is None, "it is well again"
    assert told["device car"]


async def test_one_that_cannot_be_read_is_told_and_a_broken_file_ends_nothing(
    config: Path, tmp_path: Path
) -> None:
    ends = Ends(config)
    made(config, tmp_path / "out")
    issued_file(config.parent, "battery").write_text("garbage")
    ((name, text),) = await ends.at(NOW)
    assert name == "device battery"
    assert "It is not known when" in (text or "")
    await asyncio.to_thread(config.write_text, "nonsense")
    assert await ends.at(NOW) == []
