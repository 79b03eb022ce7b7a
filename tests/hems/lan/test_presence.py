"""The hub on the network as a whole: name, certificate and what is said of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certs.page import names_of
from hems.clock import SystemClock
from hems.lan.presence import LanSettings, Presence, open_presence
from tests.hems.lan.test_announcer import THERE, addresses_of, other_machine
from tests.waiting import until

pytestmark = [pytest.mark.requirement("ROLE-UI"), pytest.mark.usefixtures("multicast_dns")]


@asynccontextmanager
async def present(folder: Path, **changes: tuple[str, ...]) -> AsyncIterator[Presence]:
    settings = LanSettings("127.0.0.1", changes.get("names", ()), folder, look_s=0.2)
    presence = await open_presence(settings, SystemClock(), "A1")
    alarms: list[str | None] = []
    async with presence.kept_up(8443, 8080, alarms.append):
        yield presence
    assert not any(alarms)


async def named(presence: Presence) -> str:
    async def look() -> str:
        return presence.view().name

    return await until(look, bool, 40, "it has a name")


async def test_name_and_certificate_go_together(tmp_path: Path) -> None:
    async with present(tmp_path) as presence:
        assert await named(presence) == "hems.local"
        view = presence.view()
        assert view.page == "https://hems.local:8443"
        assert view.trust == "http://hems.local:8080/trust"
        assert view.notes == ()

        async def shown() -> list[str]:
            certificate = presence.identity.shown
            return [] if certificate is None else names_of(certificate)

        await until(shown, lambda names: "hems.local" in names, 20, "the certificate has the name")
    assert await addresses_of("hems.local") == []


async def test_a_second_hub_takes_the_next_name_and_says_so(tmp_path: Path) -> None:
    async with other_machine("hems.local", THERE), present(tmp_path) as presence:
        assert await named(presence) == "hems-2.local"
        (note,) = presence.view().notes
        assert note == (
            "Another machine here is called hems.local already, so this hub is hems-2.local."
        )


async def test_a_name_set_after_the_authority_was_made_is_not_told_to_people(
    tmp_path: Path,
) -> None:
    async with present(tmp_path):
        await asyncio.sleep(0)
    async with present(tmp_path, names=("late.example",)) as presence:
        await named(presence)
        view = presence.view()
        assert any("late.example" in note for note in view.notes)
        assert "late.example" in view.names, "who asks by it is answered, after a warning"
        assert "late.example" not in view.page
