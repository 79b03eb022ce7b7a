"""A hub from the factory, its utility and its owner: how it is enrolled, renewed, revoked."""

import asyncio
import json
from pathlib import Path
from typing import Final

import aiohttp

from certs.identity import make_pin
from certs.pem import read_certificates
from certs.pki import Pki
from certs.verify import hardware_name
from hems.commands.scene import Scene
from hems.commands.stage import HouseReady
from tests.e2e.conftest import EVENING
from tests.e2e.rig import Home, Rig
from tests.e2e.test_first_start import hems
from tests.waiting import until

WITHIN_S: Final = 60.0
POLL_S: Final = 10.0
IMPORT_W: Final = 1500.0
FAST: Final = (f"list_poll_s = {POLL_S:.0f}", f"dcap_poll_s = {POLL_S:.0f}", "post_rate_s = 10")


async def state(session: aiohttp.ClientSession) -> Home:
    async with session.get("/api/home") as answer:
        return Home.model_validate_json(await answer.read())


async def with_devices(rig: Rig, config: Path) -> None:
    """Have the hub take up a meter and a battery of the simulated house."""
    ready = HouseReady.model_validate_json(rig.stage.house.ready.read_text())
    sunspec = ("--driver", "sunspec", "--host", "127.0.0.1", "--config", str(config))
    for name in ("meter", "battery"):
        port = str(ready.ports()[name])
        await hems("device", "add", name, "--kind", name, *sunspec, "--port", port)


def scene(maker: Pki, *, again_s: int) -> Scene:
    """Return the stage with a utility that believes a manufacturer.

    Args:
        maker: The manufacturer's PKI.
        again_s: When homes that wait for approval ask again.
    """
    believed = (f"manufacturers = {json.dumps(str(maker.trust.roots))}", f"again_s = {again_s}")
    return Scene(page_port=0, battery="hold", house=EVENING, headend=FAST, est=believed)


class Life:
    """A hub of the factory's, its utility and its owner.

    Args:
        rig: The stage, of which the own hub is stopped.
        home: The new hub's folder.
        page: The new hub's page.
    """

    def __init__(self, rig: Rig, home: Path, page: aiohttp.ClientSession) -> None:
        self.rig = rig
        self.home = home
        self.page = page
        self._operator = ("--operator", str(rig.stage.folder / "headend" / "operator.json"))

    async def utility(self, *words: str) -> str:
        return await hems("headend", *words, *self._operator)

    async def enrolled_by_its_maker(self, maker: Pki) -> str:
        """Enrol with the manufacturer's certificate; the utility approves by the hub's PIN."""
        code = (await self.utility("enrol-code", "--manufacturer")).splitlines()[0]
        shown = maker.identity("hub")
        files = ("--certificate", str(shown.certificate), "--key", str(shown.key))
        asked = asyncio.create_task(hems("enrol", code, "--home", str(self.home), *files))
        waiting = await until(
            lambda: self.utility("enrolments"), lambda said: " waiting " in said, 30.0, "it asks"
        )
        pin = (self.home / "identity" / "pin").read_text().strip()
        await self.utility("approve", waiting.split()[0], "--pin", pin)
        said = await asked
        assert pin in said
        return lfdi_in(said)

    async def enrolled_by_pin(self, maker: Pki, file: Path) -> str:
        """Have the utility expect the hub, then enrol it by one command, with nothing between."""
        shown = maker.identity("hub")
        name = hardware_name(read_certificates(shown.certificate)[0])
        pin = make_pin()
        rows = f"kind,serial,pin\n{name.kind},{name.serial.hex()},{pin}\n"
        await asyncio.to_thread(file.write_text, rows)
        await self.utility("pre-approve", "--csv", str(file))
        code = (await self.utility("enrol-code", "--manufacturer")).splitlines()[0]
        files = ("--certificate", str(shown.certificate), "--key", str(shown.key))
        wait = ("--pin", pin, "--wait", "0 s")
        said = await hems("enrol", code, "--home", str(self.home), *files, *wait)
        assert f"PIN {pin}" in said
        return lfdi_in(said)

    async def connected(self) -> None:
        await until(
            lambda: state(self.page),
            lambda home: home.utility.state == "connected",
            WITHIN_S,
            "it is connected",
        )

    async def dispatched(self, seconds: int) -> str:
        """Dispatch a limit; returns the event once the home carries it out."""
        event = await self.rig.dispatch(limit_import_w=IMPORT_W, seconds=seconds)
        await until(
            lambda: self.rig.statuses(event.id), lambda found: 2 in found, 30.0, "it is obeyed"
        )
        assert (await state(self.page)).limit_import_w == IMPORT_W
        return event.id

    async def renewed(self, before: str) -> str:
        """Renew the certificate while an event is in force, which goes on."""
        own = lfdi_in(await hems("renew", "--home", str(self.home)))
        assert own != before
        held: list[bool] = []

        async def look() -> str:
            home = await state(self.page)
            held.append(home.limit_import_w == IMPORT_W)
            return home.utility.state if await self.listed(own) else "not yet"

        await until(look, lambda found: found == "connected", 90.0, "the new one is in use")
        assert all(held), "the event was never let go"
        return own

    async def listed(self, own: str) -> bool:
        """Return whether the utility has heard of a home of this LFDI."""
        found = json.loads(await self.rig.operator_get(f"/homes/{own}"))
        return found["last_contact"] is not None

    async def told_of_it(self) -> None:
        """Look whether the hub's page and its log of security say that it was revoked."""
        async with self.page.get("/api/security") as answer:
            found = json.loads(await answer.read())["certificates"]
        assert [c["standing"] for c in found if c["use"] == "utility"] == ["revoked"]
        await until(
            self._noted,
            lambda noted: any("was revoked by the utility" in text for text in noted),
            10.0,
            "the log of security says it",
        )

    async def _noted(self) -> list[str]:
        async with self.page.get("/api/security/log?most=200") as answer:
            rows = json.loads(await answer.read())["rows"]
        return [row["text"] for row in rows if row["kind"] == "certificate"]

    def roots(self) -> int:
        """Return how many roots the hub believes."""
        (file,) = self.home.glob("identity/utility-*/roots.pem")
        return len(read_certificates(file))

    def chain_ends_at(self) -> str:
        """Return who has issued the last certificate that the hub shows."""
        (file,) = self.home.glob("identity/utility-*/certificate.pem")
        return read_certificates(file)[-1].issuer.rfc4514_string()

    def keys(self) -> set[Path]:
        return set(self.home.glob("identity/utility-*/hub.key"))


def lfdi_in(said: str) -> str:
    return said.partition("LFDI ")[2][:40]
