"""Wheel and source archive: whole, and the same octets each time."""

import hashlib
import os
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Final

import pytest

from hems.timekeeping import floor
from tests.supply.parts import ROOT
from tests.supply.wheel import BuildError, build, copied

EPOCH: Final = 1_760_000_000


def sums(made: list[Path]) -> dict[str, str]:
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in made}


@pytest.mark.deep
@pytest.mark.requirement("LC-SBOM")
def test_twice_the_same_octets_with_the_page_inside(tmp_path: Path) -> None:
    first = build(tmp_path / "first", EPOCH)
    before = os.umask(0o077)
    try:
        time.sleep(2.1)  # the resolution of a zip archive's clock
        second = build(tmp_path / "second", EPOCH)
    finally:
        os.umask(before)
    assert sums(first) == sums(second)
    wheel = zipfile.ZipFile(next(each for each in first if each.suffix == ".whl"))
    inside = set(wheel.namelist())
    for wanted in (
        "web/static/index.html",
        "web/console-static/index.html",
        "web/catalogues/de.json",
        "hems/store/migrations/env.py",
    ):
        assert wanted in inside
    assert not [name for name in inside if name.startswith(("tests/", "web/app", "packaging/"))]
    stamp = tmp_path / "released.toml"
    stamp.write_bytes(wheel.read("hems/timekeeping/released.toml"))
    assert floor.released(stamp) == EPOCH, "a hub knows before when it cannot be"
    python = {str(each.relative_to(ROOT)) for each in (ROOT / "hems").rglob("*.py")}
    assert python <= inside
    with tarfile.open(next(each for each in first if each.name.endswith(".tar.gz"))) as archive:
        assert {member.mtime for member in archive} == {EPOCH}


def test_only_what_git_knows_is_copied(tmp_path: Path) -> None:
    stray = ROOT / "hems" / f"stray-{os.getpid()}.py"
    stray.write_text("stray = True\n")
    try:
        copied(tmp_path)
    finally:
        stray.unlink()
    assert (tmp_path / "hems" / "__init__.py").exists()
    assert not list(tmp_path.rglob("stray-*"))
    modes = {each.stat().st_mode & 0o777 for each in tmp_path.rglob("*") if each.is_file()}
    assert modes == {0o644, 0o755}


def test_a_page_that_is_not_built_is_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    subprocess.run(["git", "init", "-q", root], check=True)
    with pytest.raises(BuildError, match=r"web/static: not built; run `make"):
        copied(tmp_path / "to", root)


def test_a_release_bears_no_time_that_is_yet_to_come(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="yet to come"):
        build(tmp_path, int(time.time()) + 3600)
    assert not list(tmp_path.iterdir())
