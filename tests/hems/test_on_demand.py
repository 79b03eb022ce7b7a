import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hems.on_demand import load, on_demand

ROOT = Path(__file__).parents[2]

NOT_OF_EVERY_HOME = (
    "aiomqtt",  # devices behind a broker, Home Assistant
    "alembic",  # an older store
    "der.commissioning",  # a device that is tested
    "der.drivers.mapped.link",  # a device that is described by a file
    "der.drivers.ocpp",  # chargers
    "der.drivers.sunspec.link",
    "der.sim",
    "hems.archive.desk",
    "hems.commands.erasure",
    "hems.headend",
    "hems.homeassistant.publisher",
    "hems.lan.announcer",
    "hems.lan.profile",
    "hems.market.market",
    "hems.microgrid.keeper",
    "hems.regulation.loop",
    "hems.reports",
    "hems.reserves.desk",
    "hems.scenarios",
    "hems.setup.device_setup",
    "hems.setup.guide",
    "hems.tariff.document",
    "highspy",  # the planner's process
    "jsonschema",
    "numpy",
    "ocpp",
    "pyarrow",
    "segno",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "tarfile",
    "zeroconf",
)
"""What a hub is started without: each costs memory for years."""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module that nobody has loaded yet."""
    name = "seldom_used_part"
    text = "import threading\nBY = threading.current_thread()\n\ndef double(x: int) -> int:\n"
    (tmp_path / f"{name}.py").write_text(text + "    return 2 * x\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_it_is_loaded_when_it_is_used_and_once(module: str) -> None:
    part = on_demand(module)
    assert module not in sys.modules
    assert part.double(4) == 8
    loaded = sys.modules[module]
    assert part.double is loaded.double
    assert sys.modules[module] is loaded


def test_what_it_does_not_have_is_an_attribute_error(module: str) -> None:
    with pytest.raises(AttributeError, match="treble"):
        _ = on_demand(module).treble
    with pytest.raises(ModuleNotFoundError, match="no_such_part"):
        _ = on_demand("no_such_part").anything


async def test_loading_is_done_beside_the_event_loop(module: str) -> None:
    part = on_demand(module)
    await load(part)
    assert sys.modules[module].BY is not threading.current_thread()
    assert part.double(1) == 2
    await load(part)


def test_a_hub_is_started_without_what_most_homes_never_use() -> None:
    """In a process of its own: here the other tests have loaded everything."""
    said = subprocess.run(
        [sys.executable, "-c", "import hems.commands.run, sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "hems.commands.run" in said
    seldom = [
        name
        for name in said
        if any(name == each or name.startswith(f"{each}.") for each in NOT_OF_EVERY_HOME)
    ]
    assert seldom == []
