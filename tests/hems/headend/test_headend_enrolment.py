"""A hub's folder enrolled by a code at a running utility: all of it or nothing."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from certs.est.code import EnrolmentCode, new_secret
from certs.est.errors import WaitError
from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki
from hems.archive.belongings import Belongings
from hems.headend.est.settings import EstSettings
from hems.headend.settings import HeadEndSettings
from hems.settings.config import load
from hems.settings.settings_file import place, write
from hems.setup.belonging import belongings
from hems.setup.editing import Editor
from hems.setup.enrolment import EnrolmentError
from hems.setup.enrolment_code import enrol_by_code
from tests.hems.headend.enrolling import Utility, running

pytestmark = pytest.mark.requirement("L1-AUTH", "LC-COMMISSION")


@pytest.fixture
async def utility(settings: HeadEndSettings, pki: Pki) -> AsyncIterator[Utility]:
    async with running(settings, pki, EstSettings(pki=pki.folder)) as found:
        yield found


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    """The settings of a home that is new."""
    folder = tmp_path / "home"
    folder.mkdir()
    path = folder / "hems.toml"
    write(place(path), {}, 0.0)
    return Editor(path)


def of(editor: Editor) -> Belongings:
    return belongings(editor.path, editor.config)


@pytest.mark.requirement("PRO-2030.5")
async def test_one_code_makes_the_settings(utility: Utility, editor: Editor) -> None:
    code = await utility.code(edition="2023")
    assert await enrol_by_code(editor, code.text(), time.time) == []
    (section,) = load(editor.path).utility
    assert section.url == utility.head_end.addresses.dcap_url
    assert (section.pin, section.edition, section.est) == (code.pin, "2023", code.authority)
    assert section.key.stat().st_mode & 0o777 == 0o600
    own = lfdi(der(read_certificates(section.certificate)[0]))
    assert utility.head_end.book.home(own) is not None
    kept = {path.name for path in of(editor).kept()}
    assert {"hub.key", "certificate.pem", "roots.pem", "crls.pem"} <= kept
    assert not (editor.path.parent / "identity" / "enrolling").exists()


async def test_a_code_that_is_not_taken_changes_nothing(utility: Utility, editor: Editor) -> None:
    code = await utility.code()
    assert await enrol_by_code(editor, code.text(), time.time) == []
    before = place(editor.path).read_bytes()
    spent = "is used, expired or wrong"
    for text, said in (
        (code.text(), spent),
        (replace(code, secret=new_secret()).text(), spent),
        (code.text()[:-1], "slip of the pen"),
        ("HEMS1:nonsense", "slip of the pen"),
        (replace(code, fingerprint=bytes(16)).text(), "was told nothing"),
        (EnrolmentCode("127.0.0.1", 1, bytes(16), new_secret()).text(), "does not answer"),
        (replace(code, secret=b"").text(), "slip of the pen"),
    ):
        with pytest.raises(EnrolmentError, match=said):
            await enrol_by_code(editor, text, time.time)
    assert place(editor.path).read_bytes() == before
    with pytest.raises(EnrolmentError, match="clock"):
        await enrol_by_code(editor, (await utility.code()).text(), lambda: 0.0)
    assert place(editor.path).read_bytes() == before


async def test_a_second_code_takes_the_place_of_the_first(utility: Utility, editor: Editor) -> None:
    await enrol_by_code(editor, (await utility.code()).text(), time.time)
    (first,) = load(editor.path).utility
    await enrol_by_code(editor, (await utility.code()).text(), time.time)
    (second,) = load(editor.path).utility
    assert first.certificate != second.certificate
    assert first.certificate.exists(), "what was in use stays on the disk"


async def test_what_a_person_wrote_is_not_touched_and_the_code_is_not_used(
    utility: Utility, editor: Editor
) -> None:
    code = await utility.code()
    await enrol_by_code(editor, (await utility.code()).text(), time.time)
    editor.path.write_text("[utility]\n" + _as_toml(editor))
    with pytest.raises(EnrolmentError, match="written this into"):
        await enrol_by_code(editor, code.text(), time.time)
    editor.path.unlink()
    assert await enrol_by_code(editor, code.text(), time.time) == []


def _as_toml(editor: Editor) -> str:
    (section,) = load(editor.path).utility
    files = {name: getattr(section, name) for name in ("certificate", "key", "trust", "crls")}
    return "".join(f'{name} = "{path}"\n' for name, path in files.items()) + 'pin = "111115"\n'


async def test_a_hub_that_dies_before_it_has_kept_the_answer_asks_again(
    utility: Utility, editor: Editor
) -> None:
    code = await utility.code()
    folder = editor.path.parent / "identity"
    folder.mkdir(mode=0o700)
    (folder / "enrolling").mkdir()
    (folder / "enrolling" / "certificate.pem").mkdir()  # so that it cannot be written
    with pytest.raises(Exception, match=r"certificate\.pem"):
        await enrol_by_code(editor, code.text(), time.time)
    assert len(utility.head_end.book.homes) == 1, "the utility has answered"
    (folder / "enrolling" / "certificate.pem").rmdir()
    assert await enrol_by_code(editor, code.text(), time.time) == []
    assert len(utility.head_end.book.homes) == 1, "and it is the same home"


async def test_a_factory_fresh_hub_and_an_approval(
    settings: HeadEndSettings, pki: Pki, editor: Editor, tmp_path: Path
) -> None:
    makers = init_pki(tmp_path / "maker", label="Maker")
    folder = editor.path.parent / "identity"
    folder.mkdir(mode=0o700)
    made = makers.identity("hub")
    (folder / "manufacturer.pem").write_bytes(made.certificate.read_bytes())
    (folder / "manufacturer.key").write_bytes(made.key.read_bytes())
    (folder / "manufacturer.key").chmod(0o600)
    est = EstSettings(pki=pki.folder, manufacturers=makers.trust.roots, again_s=1)
    async with running(settings, pki, est) as utility:
        code = (await utility.code(manufacturer=True)).text()
        with pytest.raises(WaitError):
            await enrol_by_code(editor, code, time.time)
        found = await utility.waiting()
        pin = (folder / "pin").read_text()
        path = f"/enrolments/{found['id']}/approve"
        assert (await utility.operator.ask("POST", path, {"pin": pin}))[0] == 200
        assert await enrol_by_code(editor, code, time.time) == []
        (section,) = load(editor.path).utility
        assert section.pin == pin, "the PIN is the hub's own"
        own = lfdi(der(read_certificates(section.certificate)[0]))
        home = utility.head_end.book.home(own)
        assert home is not None
        assert f"{home.pin:06d}" == pin


async def test_an_encrypted_key_store_is_used_from_the_start(
    utility: Utility, editor: Editor, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a long and quiet secret\n")
    secret.chmod(0o600)
    editor.path.write_text(f'[keys]\nstore = "file"\nsecret = "{secret}"\n')
    assert await enrol_by_code(editor, (await utility.code()).text(), time.time) == []
    (section,) = load(editor.path).utility
    assert "PRIVATE KEY" not in section.key.read_text(), "no plain key was ever kept"
