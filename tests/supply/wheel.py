"""Wheel and source archive, the same octets for the same commit wherever they are built.

`python -m tests.supply.wheel` writes both to `dist/`. They are made from a copy of what git knows
and of the built page, so that nothing else that lies in the folder gets into them.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Final

from hems.timekeeping import floor
from tests.supply.parts import ROOT
from tests.supply.sbom import time_of

DIST: Final = ROOT / "dist"
_PAGES: Final = (Path("web/static"), Path("web/console-static"))
STAMP: Final = Path("hems/timekeeping") / floor.STAMP
_FILE: Final = 0o644
_PROGRAM: Final = 0o755
_WITHIN_S: Final = 600


class BuildError(Exception):
    """It cannot be built; `str()` says why."""


def copied(to: Path, root: Path = ROOT) -> None:
    """Copy what git knows of the tree, and the page, with modes that no umask has touched.

    Raises:
        BuildError: The page is not built, or git does not know the tree.
    """
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], check=False, capture_output=True, text=True
    )
    if listed.returncode != 0:
        raise BuildError(f"git: {listed.stderr.strip()}")
    files = [Path(name) for name in listed.stdout.split("\0") if name]
    for page in _PAGES:
        if not (root / page / "index.html").exists():
            raise BuildError(f"{page}: not built; run `make web/static/index.html`")
        files += [each.relative_to(root) for each in (root / page).rglob("*") if each.is_file()]
    for name in files:
        source, target = root / name, to / name
        if not source.is_file():  # deleted, and not committed yet
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(_PROGRAM if os.access(source, os.X_OK) else _FILE)


def build(to: Path, epoch: int, root: Path = ROOT) -> list[Path]:
    """Build both into a folder, and return them.

    Args:
        to: The folder.
        epoch: The time that all of it bears, s.
        root: The tree.

    Raises:
        BuildError: One of them cannot be built.
    """
    if epoch > time.time():
        raise BuildError(
            f"the release would bear a time that is yet to come ({epoch}): no hub would know the "
            "time before then; look at this machine's clock, the last commit's time and "
            "SOURCE_DATE_EPOCH"
        )
    with tempfile.TemporaryDirectory() as folder:
        tree, made = Path(folder, "tree"), Path(folder, "made")
        copied(tree, root)
        (tree / STAMP).write_text(floor.stamped(epoch), encoding="utf-8")
        (tree / STAMP).chmod(_FILE)
        told = subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(tree)],
            check=False,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            umask=0o022,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        )
        if told.returncode != 0:
            raise BuildError(f"{told.stdout[-2000:]}\n{told.stderr[-2000:]}")
        for archive in made.glob("*.tar.gz"):
            _settled(archive, epoch)
        to.mkdir(exist_ok=True)
        return [Path(shutil.move(each, to / each.name)) for each in sorted(made.iterdir())]


def _settled(archive: Path, epoch: int) -> None:
    """Write a source archive anew without what setuptools takes from clock and machine."""
    draft = archive.with_suffix(".draft")
    with (
        tarfile.open(archive) as given,
        draft.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made,
    ):
        for member in sorted(given.getmembers(), key=lambda each: each.name):
            member.mtime = epoch
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.pax_headers = {}
            made.addfile(member, given.extractfile(member) if member.isfile() else None)
    draft.replace(archive)


def main() -> int:
    """Build both; returns the exit code."""
    try:
        made = build(DIST, int(time_of(os.environ.get("SOURCE_DATE_EPOCH")).timestamp()))
    except BuildError as error:
        print(f"wheel: {error}", file=sys.stderr)
        return 1
    for each in made:
        print(each.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
