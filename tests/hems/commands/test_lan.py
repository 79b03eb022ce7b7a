"""What the configuration makes of the home's network: nothing goes out unencrypted unasked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.clock import SystemClock
from hems.commands.lan import listened, network_door
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.store.store import Store, open_store

pytestmark = pytest.mark.requirement("ROLE-UI")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    yield store
    await store.close()


def configured(folder: Path, web: str) -> Config:
    path = folder / "hems.toml"
    path.write_text(f"[web]\n{web}\n", encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("web", ["", 'host = "::1"', 'host = "localhost"'])
async def test_by_itself_the_page_is_for_this_machine(
    tmp_path: Path, store: Store, web: str
) -> None:
    alarms: list[str | None] = []
    config = configured(tmp_path, web)
    assert await network_door(config, store, SystemClock(), alarms.append) is None
    assert listened(config, None) == config.web.host
    assert alarms == []
    assert not (tmp_path / "page").exists()


async def test_for_the_network_there_is_a_certificate_beside_the_configuration(
    tmp_path: Path, store: Store
) -> None:
    alarms: list[str | None] = []
    config = configured(tmp_path, 'host = "0.0.0.0"')
    door = await network_door(config, store, SystemClock(), alarms.append)
    assert door is not None
    assert door.presence.identity.shown is not None
    assert listened(config, door) == "0.0.0.0"  # noqa: S104 - as configured
    assert (tmp_path / "page" / "authority.key").exists()
    assert alarms == []


async def test_without_encryption_it_is_said_loudly(tmp_path: Path, store: Store) -> None:
    alarms: list[str | None] = []
    config = configured(tmp_path, 'host = "0.0.0.0"\nhttps = false')
    assert await network_door(config, store, SystemClock(), alarms.append) is None
    assert listened(config, None) == "0.0.0.0"  # noqa: S104 - as configured
    (alarm,) = alarms
    assert "without encryption" in str(alarm)


async def test_a_damaged_authority_keeps_the_page_in_and_the_home_running(
    tmp_path: Path, store: Store
) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "authority.pem").write_text("nothing")
    alarms: list[str | None] = []
    config = configured(tmp_path, 'host = "0.0.0.0"')
    door = await network_door(config, store, SystemClock(), alarms.append)
    assert door is None
    assert listened(config, door) == "127.0.0.1"
    (alarm,) = alarms
    assert "authority.pem" in str(alarm)


def test_a_host_is_an_address_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"web: host: 'hub.lan' is no IP address"):
        configured(tmp_path, 'host = "hub.lan"')


@pytest.mark.parametrize("contact", ["owner@example.com", "mailto:nobody", "http://example.com"])
def test_a_contact_is_one_that_push_services_take(tmp_path: Path, contact: str) -> None:
    path = tmp_path / "hems.toml"
    path.write_text(f'[push]\ncontact = "{contact}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"push.contact"):
        load(path)
