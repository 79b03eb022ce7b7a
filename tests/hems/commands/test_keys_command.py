"""`hems keys` and `hems wipe`, as processes of their own, on a home with keys in a store."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certs.errors import CertificateError
from certs.keys.envelope import decode
from certs.keys.opening import Kind, StoreSettings, key_store
from certs.keys.store import KeyStore
from certs.pki import init_pki
from hems.clock import SystemClock
from hems.store.age import count_path
from hems.store.people import PersonRow
from hems.store.store import open_store
from tests.certs.keys.hardware import SoftTpm, needs_swtpm, secret_file

pytestmark = [pytest.mark.requirement("L2-KEYS", "L1-AGENT")]

TPM = "this machine's TPM"
PLAIN = "a plain file"


@dataclass(frozen=True)
class Place:
    """A home's folder, and commands about it."""

    folder: Path
    keys: str

    @property
    def key(self) -> Path:
        return self.folder / "hub.key"

    def hems(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "hems", *words, "--config", str(self.folder / "hems.toml")],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[SoftTpm]:
    running = SoftTpm(tmp_path / "tpm")
    running.start()
    yield running
    running.stop()


def home(folder: Path, keys: str) -> Place:
    """Make a home with a utility's certificate and a plain key."""
    place = Place(folder / "home", keys)
    place.folder.mkdir()
    pki = init_pki(folder / "pki")
    own = pki.identity("hub")
    (place.folder / "hub.pem").write_bytes(own.certificate.read_bytes())
    place.key.touch(mode=0o600)
    place.key.write_bytes(own.key.read_bytes())
    (place.folder / "hems.toml").write_text(
        f"""
[home]
name = "Elm Street 4"
[utility]
certificate = "hub.pem"
key = "hub.key"
trust = "{pki.trust.roots}"
crls = "{pki.trust.crls}"
pin = "111115"
[keys]
{keys}
"""
    )
    return place


def test_from_plain_to_encrypted(tmp_path: Path) -> None:
    secret = secret_file(tmp_path, "open, sesame: 17 thieves")
    place = home(tmp_path, f'store = "file"\nsecret = "{secret.file}"')
    plain = place.key.read_text()
    code, said = place.hems("keys", "list")
    assert code == 0
    assert "key store: file" in said
    assert f"{place.key}: Its key is {PLAIN}" in said
    code, said = place.hems("keys", "move")
    assert (code, "moved. Its key is encrypted" in said) == (0, True), said
    assert plain.splitlines()[1] not in place.key.read_text()
    code, said = place.hems("keys", "check")
    assert (code, "signs; public key SHA-256" in said) == (0, True), said
    code, said = place.hems("keys", "move")
    assert (code, "is there already" in said) == (0, True), said
    secret_file(tmp_path, "close, sesame: 18 thieves")
    code, said = place.hems("keys", "check")
    assert code == 1
    assert said.count("\n") == 1
    assert f"hems: the secret from {secret.file} is not the one" in said
    code, said = place.hems("keys", "erase", str(place.key))
    assert (code, "add --yes" in said) == (1, True), said
    code, said = place.hems("keys", "erase", str(place.key), "--yes")
    assert (code, place.key.exists()) == (0, False), said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('store = "file"', "needs a secret or a credential"),
        ('store = "pkcs11"', "needs the token's module"),
        ('store = "vault"', "keys.store"),
        ('store = "file"\nsecret = "keys.secret"', "in the home's folder"),
        ('store = "file"\nsecret = "/x"\ncredential = "y"', "one or the other"),
        ('store = "file"\ncredential = "../x"', "keys.credential"),
    ],
)
def test_settings_that_make_no_store_are_named(tmp_path: Path, keys: str, said: str) -> None:
    code, words = home(tmp_path, keys).hems("keys", "list")
    assert code == 1
    assert said in words
    assert "Traceback" not in words


@needs_swtpm
@pytest.mark.requirement("LC-DECOMMISSION")
def test_into_the_tpm_and_out_with_the_home(tmp_path: Path, tpm: SoftTpm) -> None:
    place = home(tmp_path, f'store = "tpm"\ntcti = "{tpm.tcti}"')
    assert place.hems("keys", "move")[0] == 0
    code, said = place.hems("keys", "list")
    assert (code, f"{place.key}: Its key is in {TPM}" in said) == (0, True), said
    spare = place.folder / "identity" / "spare.key"
    spare.parent.mkdir(mode=0o700)
    code, said = place.hems("keys", "make", str(spare))
    assert (code, "made; public key SHA-256" in said) == (0, True), said
    copy = place.key.read_bytes()
    tpm.stop()
    code, said = place.hems("keys", "check")
    assert (code, said.startswith("hems: the TPM")) == (1, True), said
    tpm.start()
    code, said = place.hems("wipe", "--yes")
    assert code == 0, said
    assert said.count("the TPM has the key no more") == 2
    assert not place.key.exists()
    assert not spare.exists()
    (tmp_path / "again").mkdir()
    fresh = home(tmp_path / "again", place.keys)
    fresh.key.write_bytes(copy)
    code, said = fresh.hems("keys", "check")
    assert (code, "does not have a key" in said) == (1, True), said
    key_store(StoreSettings(Kind.TPM, tcti=tpm.tcti)).make(fresh.folder / "new.key")
    assert b"\x81\x02\x00\x00" in decode((fresh.folder / "new.key").read_bytes()).fields


@needs_swtpm
def test_a_home_that_is_wiped_without_its_tpm_says_what_is_left(
    tmp_path: Path, tpm: SoftTpm
) -> None:
    place = home(tmp_path, f'store = "tpm"\ntcti = "{tpm.tcti}"')
    assert place.hems("keys", "move")[0] == 0
    tpm.stop()
    code, said = place.hems("wipe", "--yes")
    assert code == 1
    assert f"not erased: {place.key}: its key in hardware (81020000): " in said
    assert not place.key.exists()


@needs_swtpm
def test_a_key_that_a_driver_reads_stays_plain(tmp_path: Path, tpm: SoftTpm) -> None:
    place = home(tmp_path, f'store = "tpm"\ntcti = "{tpm.tcti}"')
    with (place.folder / "hems.toml").open("a") as file:
        file.write('[ocpp]\ncertificate = "hub.pem"\nkey = "ocpp.key"\n')
    (place.folder / "ocpp.key").write_bytes(place.key.read_bytes())
    code, said = place.hems("keys", "move", str(place.folder / "ocpp.key"))
    assert (code, "reads plain files only" in said) == (1, True), said
    assert PLAIN in place.hems("keys", "list")[1]


def stored(place: Place, keys: KeyStore) -> dict[str, str]:
    """Return what a home's store remembers, written there the first time."""

    async def work() -> dict[str, str]:
        store = await open_store(place.folder / "hems.db", SystemClock(), keys)
        try:
            found = dict(await store.settings.all())
            if not found:
                await store.settings.put("said", "before")
                person = PersonRow(0, "Ada Lovelace", "ada", "owner", "", 0.0, None)
                await store.people.add_person(person, "password", "its hash")
            return found
        finally:
            await store.close()

    return asyncio.run(work())


@needs_swtpm
@pytest.mark.requirement("L1-CRYPT")
def test_the_store_s_key_into_the_tpm_out_and_anew(tmp_path: Path, tpm: SoftTpm) -> None:
    place = home(tmp_path, f'store = "tpm"\ntcti = "{tpm.tcti}"')
    stored(place, KeyStore())
    key = place.folder / "hems.db.key"
    code, said = place.hems("keys", "list")
    assert (code, f"{key}: the store's key. Its key is {PLAIN}" in said) == (0, True), said
    code, said = place.hems("keys", "move")
    locked = f"{key}: moved. Its key is locked by {TPM}, and is opened in memory only"
    assert (code, locked in said) == (0, True), said
    code, said = place.hems("keys", "check")
    assert (code, f"{key}: opens the store" in said) == (0, True), said
    before = (place.folder / "hems.db").read_bytes()
    code, said = place.hems("keys", "renew-store")
    assert (code, "is under a new key" in said) == (0, True), said
    assert (place.folder / "hems.db").read_bytes()[:16] != before[:16]
    tpm_store = key_store(StoreSettings(Kind.TPM, tcti=tpm.tcti))
    assert stored(place, tpm_store) == {"said": "before"}
    code, said = place.hems("keys", "release")
    assert (code, f"{key}: released. Its key is {PLAIN}" in said) == (0, True), said
    assert stored(place, KeyStore()) == {"said": "before"}
    code, said = place.hems("keys", "erase", str(key))
    assert (code, "add --yes" in said) == (1, True), said


@needs_swtpm
@pytest.mark.requirement("LC-DECOMMISSION", "L1-CRYPT")
def test_wiping_proves_that_nothing_is_left(tmp_path: Path, tpm: SoftTpm) -> None:
    place = home(tmp_path, f'store = "tpm"\ntcti = "{tpm.tcti}"')
    tpm_store = key_store(StoreSettings(Kind.TPM, tcti=tpm.tcti))
    stored(place, tpm_store)
    secret = tpm_store.unseal(place.folder / "hems.db.key")
    counter = tpm_store.counter(count_path(place.folder / "hems.db"))
    assert counter is not None
    counter.up()
    kept = {each.name: each.read_bytes() for each in place.folder.glob("hems.db*")}
    plain_key = place.key.read_bytes()
    forgotten = place.folder / "notes.txt"
    forgotten.write_text("call Ada Lovelace about Elm Street 4\n")
    pasted = place.folder / "mail.txt"
    pasted.write_bytes(plain_key.split(b"\n")[2])
    others = place.folder / "others.pem"
    KeyStore().make(others)
    report = tmp_path / "report.json"
    code, said = place.hems("wipe", "--yes", "--report", str(report))
    assert code == 1, said
    assert f"not erased: {forgotten}: still has the account name" in said
    assert f"not erased: {forgotten}: still has the home's name" in said
    assert "the TPM can open the secret no more" in said
    assert "the TPM has the counter no more" in said
    assert f"not erased: {pasted}: still has the key material" in said
    left = {each.name for each in place.folder.iterdir()}
    assert left == {"notes.txt", "mail.txt", "others.pem"}
    told = json.loads(report.read_text())
    assert told["looked_for"] == ["LFDI", "PIN", "account name", "home's name", "key material"]
    assert len(told["left"]) == 3, "a key that is not the home's is none of its traces"
    (store,) = (each for each in told["files"] if each["path"].endswith("/hems.db"))
    assert store["sha256_of_ciphertext"] == hashlib.sha256(kept["hems.db"]).hexdigest()
    for each in ("Ada Lovelace", "Elm Street", secret.hex(), plain_key.decode().split()[4]):
        assert each not in report.read_text()
    # Who kept copies of both files has nothing: the TPM has forgotten.
    for name, content in kept.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CertificateError):
        tpm_store.unseal(tmp_path / "hems.db.key")


@pytest.mark.requirement("LC-DECOMMISSION")
def test_a_copy_of_the_settings_that_somebody_made_is_named_when_wiping(tmp_path: Path) -> None:
    place = home(tmp_path, 'store = "plain"')
    settings = place.folder / "hems.toml"
    with settings.open("a") as file:
        file.write('[mqtt]\npassword = "of the broker"\n')
    copy = settings.with_name("hems.toml.bak")
    copy.write_bytes(settings.read_bytes())
    code, said = place.hems("wipe", "--yes")
    assert code == 1, said
    for what in ("password", "PIN"):
        assert f"not erased: {copy}: still has the {what}" in said


@pytest.mark.requirement("LC-DECOMMISSION")
def test_a_home_that_left_no_trace_is_wiped_with_code_zero(tmp_path: Path) -> None:
    secret = secret_file(tmp_path, "open, sesame: 17 thieves")
    place = home(tmp_path, f'store = "file"\nsecret = "{secret.file}"')
    stored(place, KeyStore())
    for name in (
        "hems.db.meanwhile",
        "hems.db.former",
        "hems.db.draft",
        ".hems.db.key.x1",
        ".hub.key.x2",
    ):
        (place.folder / name).write_text("what an interrupted start has left")
    (place.folder / "holiday.jpg").write_bytes(bytes(100))
    code, said = place.hems("wipe", "--yes")
    assert code == 0, said
    assert "found: 0" in said
    assert [each.name for each in place.folder.iterdir()] == ["holiday.jpg"]
    erased = [line.split()[1] for line in said.splitlines() if line.startswith("erased ")]
    assert erased[0] == str(place.folder / "hems.db.key"), "the store's key goes first"
