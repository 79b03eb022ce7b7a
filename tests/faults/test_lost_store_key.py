"""A home whose store cannot be opened at the start: it is controlled, and the store comes back."""

from pathlib import Path

import aiohttp
import pytest

from certs.keys.store import KeyStore
from certs.tls import server_context
from hems.commands.stage import free_port
from tests.faults.bench import Bench, Hub
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("L1-CRYPT", "L2-KEYS"),
]

SAID = "The home's past and settings cannot be opened"
SECRET = "open, sesame: 17 thieves"
WITHIN_S = 60.0


async def alarms(hub: Hub) -> list[str] | None:
    """Return the alarms of the store; None while the hub starts anew."""
    try:
        return [alarm for alarm in (await hub.home()).alarms if SAID in alarm]
    except (aiohttp.ClientError, ValueError):
        return None


async def test_a_home_starts_without_its_store_s_key_and_takes_it_up_again(
    bench: Bench, tmp_path: Path
) -> None:
    store, secret = tmp_path / "store" / "hems.db", tmp_path / "keys.secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    utility = LyingUtility(bench.hub_lfdi)
    context = server_context(bench.pki.identity("utility"), bench.pki.trust)
    more = f'[store]\npath = "{store}"\n[keys]\nstore = "file"\nsecret = "{secret}"\n'
    async with serving(utility, context):
        config = bench.config(f"{utility.base}/dcap", page_port=free_port(), more=more)
        async with bench.running(config) as hub:
            await hub.state("connected")
            assert await alarms(hub) == []
        key = store.with_name("hems.db.key")
        assert "ENCRYPTED" in KeyStore().held(key).name
        before = store.read_bytes()
        assert b"SQLite format" not in before
        secret.unlink()
        async with bench.running(config) as hub:
            await hub.state("connected")
            (alarm,) = await alarms(hub) or ["none"]
            assert str(secret) in alarm
            utility.list_controls(control("600E"))
            await utility.until(lambda: utility.codes == [("600E", 1), ("600E", 2)], 10.0)
            await hub.goes_on()
            assert store.read_bytes() == before
            assert store.with_name("hems.db.meanwhile").exists()
            secret.touch(mode=0o600)
            secret.write_text(SECRET)
            await until(lambda: alarms(hub), lambda found: found == [], WITHIN_S, "no alarm")
            await hub.state("connected")
            await hub.goes_on()
            assert len(hub.logged("WARNING", SAID)) == 1
            assert not store.with_name("hems.db.meanwhile").exists()
