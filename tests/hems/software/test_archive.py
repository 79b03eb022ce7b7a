"""Archives: the same octets for the same parts, and nothing gets in or out that does not belong."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from hems.bulletin import Package, Release, State
from hems.software import archive
from hems.software.suiting import Host, barred, migrates, package_for, unsuitable
from hems.software.switch import State as Record

PACKAGE = Package(
    file="hems-0.2.0.tar",
    version="0.2.0",
    python="3.11",
    machine="x86_64",
    least="0.1.0",
    form="0010",
    needs=1000,
)
HOST = Host(version="0.1.0", python="3.11", machine="x86_64", form="0010", free=5000)


def _parts(folder: Path) -> tuple[list[Path], Path]:
    folder.mkdir()
    wheels = [folder / "hems-0.2.0-py3-none-any.whl", folder / "Other-1.0-py3-none-any.whl"]
    pip = folder / "pip-25.0-py3-none-any.whl"
    for each in (*wheels, pip):
        each.write_bytes(f"PK {each.name}".encode())
    return wheels, pip


@pytest.mark.requirement("LC-PATCH")
def test_an_archive_is_the_same_octets_for_the_same_parts(tmp_path: Path) -> None:
    wheels, pip = _parts(tmp_path / "parts")
    one, other = tmp_path / "one.tar", tmp_path / "other.tar"
    archive.make(PACKAGE, wheels, pip, one)
    for each in wheels:
        each.touch()
    archive.make(PACKAGE, list(reversed(wheels)), pip, other)
    assert one.read_bytes() == other.read_bytes()
    assert archive.read(one) == PACKAGE
    folder = tmp_path / "unpacked"
    folder.mkdir()
    archive.unpack(one, folder)
    said = (folder / "requirements.txt").read_text()
    assert [line.split()[0] for line in said.splitlines()] == ["hems==0.2.0", "Other==1.0"]
    assert said.count("--hash=sha256:") == 2
    assert (folder / "wheels" / wheels[0].name).read_bytes() == wheels[0].read_bytes()


def test_an_archive_needs_the_software_itself(tmp_path: Path) -> None:
    wheels, pip = _parts(tmp_path / "parts")
    with pytest.raises(archive.ArchiveError, match=r"no wheel of hems 0\.2\.0"):
        archive.make(PACKAGE, wheels[1:], pip, tmp_path / "one.tar")


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize("name", ["../evil.whl", "/etc/passwd", "wheels/../../x.whl", "bin/sh"])
def test_nothing_gets_out_of_its_folder(name: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.tar"
    with tarfile.open(file, "w") as made:
        member = tarfile.TarInfo(name)
        member.size = 2
        made.addfile(member, io.BytesIO(b"PK"))
    folder = tmp_path / "into"
    folder.mkdir()
    with pytest.raises(archive.ArchiveError):
        archive.unpack(file, folder)
    assert list(folder.rglob("*")) == []
    with pytest.raises(archive.ArchiveError, match="does not begin"):
        archive.read(file)


def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "bad.tar"
    for content in (b"", b"PK\x03\x04" * 500):
        file.write_bytes(content)
        with pytest.raises(archive.ArchiveError, match=r"bad\.tar"):
            archive.read(file)


@pytest.mark.requirement("LC-PATCH")
@pytest.mark.parametrize(
    ("host", "why"),
    [
        (HOST, ""),
        (replace(HOST, python="3.13"), "for Python 3.11"),
        (replace(HOST, machine="aarch64"), "for x86_64"),
        (replace(HOST, version="0.2.0"), "not newer"),
        (replace(HOST, version="0.3.0"), "not newer"),
        (replace(HOST, version="0.0.9"), "takes the place of 0.1.0 or newer"),
        (replace(HOST, form="0011"), "could not read the home's store"),
        (replace(HOST, free=999), "needs 1000 octets"),
    ],
)
def test_what_does_not_suit_is_not_installed(host: Host, why: str) -> None:
    said = unsuitable(PACKAGE, host)
    assert why in said
    assert bool(said) == bool(why)


def test_the_archive_for_a_machine_is_found() -> None:
    arm = PACKAGE.model_copy(update={"machine": "aarch64", "file": "arm.tar"})
    release = Release(version="0.2.0", file="hems.whl", state=State.LATEST, packages=(arm, PACKAGE))
    assert package_for(release, HOST) == PACKAGE
    assert package_for(release, replace(HOST, machine="aarch64")) == arm
    assert package_for(release, replace(HOST, python="3.13")) is None
    assert not migrates(PACKAGE, HOST)
    assert migrates(PACKAGE, replace(HOST, form="0009"))
    assert barred("0.2.0", Record(barred=("0.2.0",)))
    with pytest.raises(ValueError, match=r"is version 0\.2\.0, not 0\.3\.0"):
        Release(version="0.3.0", file="hems.whl", state=State.LATEST, packages=(PACKAGE,))
