"""A machine with sides of one program each and a store of SQLite, for the launcher's tests."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from hems.software import launcher
from hems.software.sides import RECORD, UPDATES, VERDICT, Sides, put
from hems.software.switch import Verdict, armed, installed

TREE = Path(__file__).parents[3]
KILLED = Path(__file__).with_name("killed.py")


@dataclass(frozen=True)
class Hub:
    sides: Sides
    home: Path
    store: Path

    @property
    def runs(self) -> str:
        """What the service would start."""
        return (self.sides.root / "current" / "bin" / "hems").read_text()

    @property
    def rows(self) -> list[str]:
        return rows(self.store)

    def words(self, what: str) -> list[str]:
        return [what, str(self.sides.root), str(self.home), str(self.sides.package)]

    def launch(self) -> bool:
        """Do what the service does before its hub; returns whether the hub would be started."""
        return launcher.main(self.words("settle")) == 0 == launcher.main(self.words("store"))

    def cut(self, what: str, step: int) -> bool:
        """Have the power cut before a step; returns whether there was no such step any more."""
        done = subprocess.run(
            [sys.executable, "-S", KILLED, TREE, str(step), *self.words(what)],
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        return done.returncode == 0

    def judge(self, found: Verdict) -> None:
        (self.home / UPDATES).mkdir(exist_ok=True)
        put(self.home / UPDATES / VERDICT, asdict(found), mode=0o600)


def side(place: Path, version: str) -> None:
    (place / "bin").mkdir(parents=True)
    command = place / "bin" / "hems"
    command.write_text(version)
    command.chmod(0o755)
    (place / "bin" / "python").symlink_to(sys.executable)
    (place / "lib/python3.11/site-packages" / f"hems-{version}.dist-info").mkdir(parents=True)


def rows(store: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as opened:
        return [row[0] for row in opened.execute("SELECT what FROM events ORDER BY what")]


def seal(hub: Hub) -> None:
    """Have the record be one that cannot be written, as on a full disk."""
    (hub.sides.root / f".{RECORD}.new").mkdir()


def unseal(hub: Hub) -> None:
    (hub.sides.root / f".{RECORD}.new").rmdir()


def arm(hub: Hub, *, migrates: bool) -> None:
    hub.sides.write(armed(installed(hub.sides.read(), "0.2.0", migrates=migrates)))


def migrate(hub: Hub) -> None:
    """What a new version does at its first start: a form that the former one cannot read."""
    with sqlite3.connect(hub.store) as store:
        if "more" not in {row[1] for row in store.execute("PRAGMA table_info(events)")}:
            store.execute("ALTER TABLE events ADD COLUMN more TEXT")
            store.execute("INSERT INTO events (what) VALUES ('during the trial')")
    store.close()
