"""The hub's own id: made once, the same for good."""

from pathlib import Path

from hems.hub_id import hub_id
from hems.store.store import open_store
from tests.web.surface import ScriptedClock


async def test_made_once_and_kept(tmp_path: Path) -> None:
    clock = ScriptedClock()
    store = await open_store(tmp_path / "hems.db", clock)
    first = await hub_id(store.settings)
    await store.close()
    again = await open_store(tmp_path / "hems.db", clock)
    assert await hub_id(again.settings) == first
    await again.close()
    assert len(first) == 12
    assert int(first, 16) >= 0


async def test_without_a_disk_it_is_the_machines(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "hems.db", ScriptedClock())
    await store.close()
    (tmp_path / "hems.db").write_bytes(b"no database" * 100)
    assert await hub_id(store.settings) == await hub_id(store.settings)
