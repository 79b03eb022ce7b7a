"""A machine whose package runs."""

import sqlite3
from pathlib import Path

import pytest

from hems.software import stores
from hems.software.sides import Sides
from tests.hems.software.machine import Hub, side


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    sides = Sides(tmp_path / "root", tmp_path / "package")
    made = Hub(sides, tmp_path / "home", tmp_path / "home" / "home.db")
    side(made.sides.package, "0.1.0")
    side(made.sides.root / "a", "0.2.0")
    made.home.mkdir()
    with sqlite3.connect(made.store) as store:
        store.execute("CREATE TABLE events (what TEXT)")
        store.execute("INSERT INTO events VALUES ('before')")
    store.close()
    stores.tell(made.home, made.store)
    assert made.launch()
    return made
