"""The scripts that Debian's package manager runs, each by itself; `test_life` has it run them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packages.test_units import FOLDER

pytestmark = pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg compares versions")

NEW = "0.2.0-1~deb12"
HUB, SERVER = "var/lib/hems", "var/lib/hems-headend"


def before_unpacking(root: Path, package: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run what is run before a package is unpacked, on a machine whose root is a folder."""
    script = root / "preinst"
    text = (FOLDER / "hems-common.preinst").read_text(encoding="utf-8")
    script.write_text(text.replace("__VERSION__", NEW), encoding="utf-8")
    names = {"DPKG_ROOT": str(root), "DPKG_MAINTSCRIPT_PACKAGE": package}
    return subprocess.run(
        ["sh", script, *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **names},
    )


@pytest.mark.parametrize(
    ("package", "words", "data", "refused"),
    [
        ("hems-common", ("upgrade", "0.3.0-1~deb12", NEW), HUB, True),
        ("hems-common", ("upgrade", "0.3.0-1~deb12", NEW), SERVER, True),
        ("hems-common", ("upgrade", "0.3.0-1~deb12"), HUB, True),
        ("hems-common", ("upgrade", "0.10.0-1~deb12", NEW), HUB, True),
        ("hems-common", ("upgrade", "0.3.0-1~deb12", NEW), None, False),
        ("hems-common", ("upgrade", "0.1.0-1~deb12", NEW), HUB, False),
        ("hems-common", ("upgrade", "0.2.0-1~deb13", NEW), HUB, False),
        ("hems-common", ("upgrade", "0.2.0-2~deb12", NEW), HUB, False),
        ("hems-common", ("install",), HUB, False),
        ("hems", ("upgrade", "0.3.0-1~deb12", NEW), HUB, True),
        ("hems", ("upgrade", "0.3.0-1~deb12", NEW), SERVER, False),
        # Removed, not purged: of what has files of settings the former version is known.
        ("hems", ("install", "0.3.0-1~deb12", NEW), HUB, True),
        ("hems-headend", ("install", "0.3.0-1~deb12", NEW), SERVER, True),
        ("hems-headend", ("install", "0.3.0-1~deb12", NEW), HUB, False),
        ("hems", ("abort-upgrade", NEW), HUB, False),
    ],
)
def test_going_back_is_refused_while_there_are_data(
    tmp_path: Path, package: str, words: tuple[str, ...], data: str | None, refused: bool
) -> None:
    if data is not None:
        (tmp_path / data / "within").mkdir(parents=True)
    done = before_unpacking(tmp_path, package, *words)
    assert done.returncode == (1 if refused else 0), done.stderr
    assert ("cannot read what a newer version has written" in done.stderr) is refused
    assert (str(data) in done.stderr) is refused


@pytest.mark.parametrize("words", ["configure", "abort-upgrade 0.2.0-1", "abort-remove"])
def test_what_was_cleared_away_is_compiled_again(tmp_path: Path, words: str) -> None:
    compiler = tmp_path / "py3compile"
    compiler.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n', encoding="utf-8")
    compiler.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(
        ["sh", FOLDER / "hems-common.postinst", *words.split()],
        check=True,
        env={**os.environ, "PATH": path},
    )
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "-p hems-common /opt/hems/lib\n"


def test_each_package_refuses_to_go_back() -> None:
    """Else the others would be unpacked beside the one that refuses, and not work with it."""
    build = (FOLDER.parent / "deb").read_text(encoding="utf-8")
    assert 'cp "$tree/debian/hems-common.preinst" "$tree/debian/$each.preinst"' in build
    assert not list(FOLDER.glob("hems.preinst")) + list(FOLDER.glob("hems-headend.preinst"))
