"""`hems agent`, `hems manifest` and the inventory, as processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from certs.agent.machine import machine
from certs.pem import read_certificates
from hems.agent.inventory import installed_options, inventory
from hems.commands.agent import opening_of
from hems.settings.config import load
from hems.settings.toml_file import ConfigError
from tests.certs.agent.installed import Provider, copied, flip

pytestmark = [pytest.mark.requirement("L1-AGENT")]

HOME = """
[home]
name = "Home"
[keys]
tcti = "swtpm:path=s"
[agent]
manifest = "hems.manifest"
roots = "providers.pem"
required = true
boot = true
[[device]]
id = "battery"
kind = "battery"
name = "Battery"
driver = "sunspec"
host = "192.168.1.9"
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
[[device]]
id = "socket"
kind = "plug"
name = "Socket"
driver = "mqtt"
profile = "tasmota"
topic = "plug"
max = "2 kW"
"""


def hems(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hems", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def software(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the software that runs from where it is."""
    return copied(tmp_path_factory.mktemp("software")).root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "hems.toml").write_text(HOME)
    return folder


@pytest.mark.requirement("L1-TAMPER")
def test_a_manifest_is_made_signed_and_kept_to(software: Path, tmp_path: Path) -> None:
    provider = Provider.made(tmp_path / "pki")
    files, roots = provider.pki.identity("provider"), str(provider.pki.trust.roots)
    made, signed = tmp_path / "made.json", str(tmp_path / "hems.manifest")
    said = hems(
        software,
        *("manifest", "make", "--out", str(made), "--publisher", "Example Energy"),
        *("--number", "3", "--open"),
    )
    assert "not signed yet" in said
    raw = json.loads(made.read_bytes())
    made.write_text(json.dumps({**raw, "distributions": []}))  # theirs may change meanwhile
    sign = ["manifest", "sign", str(made), "--key", str(files.key), "--out", signed]
    hems(software, *sign, "--certificate", str(files.certificate))
    check = ["manifest", "check", signed, "--roots", roots]
    assert "the installed software is what was signed" in hems(software, *check, "--least", "3")
    assert "number 4 has been in use" in hems(software, *check, "--least", "4", code=1)
    assert "made.json: the document is not signed" in hems(
        software, "manifest", "check", str(made), "--roots", roots, code=1
    )
    rules = software / "programs" / "slope.py"
    flip(rules)
    assert f"changed: {rules}" in hems(software, *check, code=1)
    flip(rules)
    other = provider.pki.identity("other")
    refused = ["manifest", "sign", str(made), "--key", str(other.key), "--out", signed]
    assert "may not sign" in hems(
        software, *refused, "--certificate", str(other.certificate), code=1
    )


def test_the_agent_needs_something_to_go_by(home: Path) -> None:
    (home / "hems.toml").write_text('[home]\nname = "Home"\n')
    said = hems(Path.cwd(), "agent", "run", "--home", str(home), code=1)
    assert "[agent] names no manifest" in said


def test_the_hub_starts_its_child_itself(home: Path) -> None:
    said = hems(Path.cwd(), "agent", "run", "--home", str(home), code=1)
    assert 'start is "child"' in said


@pytest.mark.parametrize(
    ("secret", "mode", "why"),
    [
        (None, 0o600, "No such file"),
        ("00" * 31, 0o600, "at least 32 octets"),
        ("no hex", 0o600, "at least 32 octets"),
        ("00" * 32, 0o644, "others than its owner"),
    ],
)
def test_a_service_needs_a_secret(home: Path, secret: str | None, mode: int, why: str) -> None:
    text = HOME.replace("boot = true", 'start = "service"\nsecret = "agent.secret"')
    (home / "hems.toml").write_text(text)
    if secret is not None:
        (home / "agent.secret").touch(mode=mode)
        (home / "agent.secret").write_text(secret)
    assert why in hems(Path.cwd(), "agent", "run", "--home", str(home), code=1)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('manifest = "hems.manifest"\n', "", "manifest and roots belong together"),
        ("required = true", 'start = "service"', "needs a secret"),
        ("required = true", 'secret = "x"', "needs a secret"),
        ("required = true", 'networks = ["192.168.1.7/24"]', "host bits"),
        ('manifest = "hems.manifest"\nroots = "providers.pem"\n', "", "required needs"),
    ],
)
def test_a_section_that_cannot_be_is_named(home: Path, old: str, new: str, why: str) -> None:
    path = home / "hems.toml"
    path.write_text(HOME.replace(old, new))
    with pytest.raises(ConfigError, match=why):
        load(path)


def test_the_agent_is_told_what_to_watch(home: Path) -> None:
    path = home / "hems.toml"
    opening = opening_of(load(path), path, "00" * 32, child=True)
    assert opening.manifest == str(home / "hems.manifest")
    assert opening.tcti == "swtpm:path=s"
    assert {Path(each).name for each in opening.files} >= {
        "hems.toml",
        "settings.toml",
        "devices.toml",
        "hems.manifest",
        "providers.pem",
    }
    assert {8080, 8443, 9000} <= set(opening.ports)


@pytest.mark.requirement("L1-INVENTORY")
def test_the_inventory_is_of_this_machine() -> None:
    found = inventory(("planner",))
    assert found.software
    assert "planner" in found.options
    assert found.python.startswith("3.")
    assert found.openssl.startswith("OpenSSL")
    assert found.kernel
    assert set(installed_options()) <= {"headend", "metrics", "parquet", "pkcs11", "tpm"}


@pytest.mark.requirement("L1-INVENTORY")
@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {
                "sys/class/dmi/id/sys_vendor": "Example Computers\n",
                "sys/class/dmi/id/product_name": "Hub 3\n",
                "sys/class/dmi/id/product_version": "To Be Filled By O.E.M.\n",
                "sys/class/dmi/id/board_version": "1.2\n",
            },
            ("Example Computers", "Hub 3", "1.2", ""),
        ),
        (
            {
                "sys/firmware/devicetree/base/model": "Example Board 4 Rev 1.5\0",
                "sys/firmware/devicetree/base/serial-number": "10000000abcdef\0",
                "sys/firmware/devicetree/base/compatible": "example,4-b\0example,soc\0",
            },
            ("", "Example Board 4 Rev 1.5", "example,4-b", "10000000abcdef"),
        ),
        ({}, ("", "", "", "")),
    ],
)
def test_machines_say_what_they_are(
    tmp_path: Path, files: dict[str, str], said: tuple[str, ...]
) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    found = machine(tmp_path)
    assert (found.maker, found.model, found.hardware, found.serial) == said


def test_a_device_is_given_a_certificate_of_the_home(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    enrol = ["agent", "enrol-device", "battery", "--home", str(home), "--out", str(out)]
    said = hems(Path.cwd(), *enrol)
    assert 'tls_trust = "identity/devices/authority.pem"' in said
    (own,) = read_certificates(out / "battery.pem")
    (authority,) = read_certificates(home / "identity" / "devices" / "authority.pem")
    own.verify_directly_issued_by(authority)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.9"]
    assert (out / "battery.key").stat().st_mode & 0o777 == 0o600
    assert "is there already" in hems(Path.cwd(), *enrol, code=1)

    said = hems(Path.cwd(), *enrol[:2], "car", *enrol[3:])
    assert 'trust = "identity/devices/authority.pem"' in said
    (charger,) = read_certificates(out / "car.pem")
    charger.verify_directly_issued_by(authority)
    assert charger.subject.rfc4514_string() == "CN=EVSE-17"

    assert "not spoken to over TLS" in hems(Path.cwd(), *enrol[:2], "socket", *enrol[3:], code=1)
    assert "no device 'none'" in hems(Path.cwd(), *enrol[:2], "none", *enrol[3:], code=1)
