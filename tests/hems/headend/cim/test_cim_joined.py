"""The enterprise side as a head-end's configuration has it, by the door it listens at."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from certs.pki import Pki
from certs.tls import client_context
from hems.headend.cim.envelope import Verb
from hems.headend.cim.http_door import TRAIL
from hems.headend.cim.nouns import Noun
from hems.headend.server import HeadEnd
from hems.headend.settings import load_settings
from tests.hems.headend.cim.asking import dispatch, group, groups
from tests.hems.headend.cim.conftest import DMS, System, message
from tests.hems.headend.conftest import Home, Operator

pytestmark = pytest.mark.requirement("PRO-CIM")


def written(folder: Path, pki: Pki) -> Path:
    own = pki.identity("utility")
    path = folder / "headend.toml"
    path.write_text(
        f"""
database = "headend.sqlite"
certificate = "{own.certificate}"
key = "{own.key}"
roots = "{pki.trust.roots}"
crls = "{pki.trust.crls}"
token_file = "token"

[[cim.peers]]
name = "{DMS}"
token_file = "dms.token"
may = ["query", "groups", "dispatch"]
"""
    )
    return path


async def test_an_order_comes_in_and_is_an_event(tmp_path: Path, pki: Pki) -> None:
    settings = load_settings(written(tmp_path, pki))
    async with HeadEnd(settings) as head_end:
        operator = Operator(head_end)
        home = Home(pki.identity("home-a"), pki, head_end.addresses.base_url)
        await operator.enter(home)
        token = await asyncio.to_thread((tmp_path / "dms.token").read_text)
        tls = client_context(pki.identity("home-b"), pki.trust)
        connector = aiohttp.TCPConnector(ssl=tls)
        async with aiohttp.ClientSession(connector=connector) as session:
            system = System(session, head_end.addresses.cim, token.strip())
            made = await system.send(message(Verb.CREATE, Noun.GROUPS, groups(group(home))))
            assert (made.status, made.code) == (200, "0.0")
            ordered = await system.send(message(Verb.CREATE, Noun.DISPATCHES, dispatch()))
            assert (ordered.status, ordered.code) == (200, "0.0")
            stranger = System(session, head_end.addresses.cim, "guessed")
            refused = await stranger.send(message(Verb.GET, Noun.GROUPS))
            assert refused.status == 401
        _, seen = await operator.ask("GET", "/events")
        assert len(seen["events"]) == 1
        status, trail = await operator.ask("GET", TRAIL)
        assert status == 200, trail
        await home.aclose()
        await operator.aclose()
