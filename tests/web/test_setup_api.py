"""Setting a home up over its API: files, store and certificates behind it are real."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.pem import read_certificates
from certs.pki import init_pki, sign_request
from hems.archive import swap, wipe
from hems.archive.desk import PIECE
from hems.archive.wipe import Gone, Proof
from hems.settings.config import load
from tests.web.keeping import Kept, kept
from tests.web.script import ZONE
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI")

WORDS = {"passphrase": "correct horse battery"}


@dataclass
class Asked:
    """A home whose page is asked."""

    kept: Kept
    client: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, body: object = None, status: int = HTTPStatus.OK
    ) -> Any:
        """Ask; returns the JSON answered, None for none."""
        async with self.client.request(method, path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else None


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    home = ScriptedHome()
    settings = WebSettings(port=0, time_zone=ZONE, static_dir=tmp_path / "static")
    (tmp_path / "home").mkdir()
    async with (
        kept(tmp_path / "home", home) as made,
        serving(home, settings, ScriptedClock(), made.parts) as url,
        aiohttp.ClientSession(url) as client,
    ):
        yield Asked(made, client)


def states(setup: Mapping[str, Any]) -> dict[str, str]:
    return {step["id"]: step["state"] for step in setup["steps"]}


async def test_the_path_is_gone_step_by_step_and_taken_up_again(asked: Asked) -> None:
    assert (await asked.ask("GET", "/api/setup"))["next"] == "language"
    done, later = {"state": "done"}, {"state": "skipped"}
    found = await asked.ask("POST", "/api/setup/steps/language", done)
    assert found["next"] == "account"
    found = await asked.ask("POST", "/api/setup/steps/account", later)
    assert found["next"] == "home"
    order = {"settings": {"home.name": "Mill", "home.main_breaker": 35, "home.phases": "3"}}
    assert (await asked.ask("PUT", "/api/settings", order))["saved"]
    found = await asked.ask("GET", "/api/setup")
    assert (states(found)["home"], found["next"]) == ("done", "tariff")
    for step in ("tariff", "devices", "utility"):
        found = await asked.ask("POST", f"/api/setup/steps/{step}", later)
    assert (found["next"], found["finished"]) == ("done", False)
    found = await asked.ask("POST", "/api/setup/steps/done", done)
    assert found["finished"]
    assert sum(bool(step["missing"]) for step in found["steps"]) == 4, "said, though put off"


async def test_a_step_that_cannot_be(asked: Asked) -> None:
    later = {"state": "skipped"}
    found = await asked.ask("POST", "/api/setup/steps/home", later, HTTPStatus.BAD_REQUEST)
    assert found["error"] == "This step cannot be put off."
    found = await asked.ask("POST", "/api/setup/steps/x", later, HTTPStatus.BAD_REQUEST)
    assert found["error"] == "There is no such step."


async def test_mistakes_come_back_by_field_and_nothing_is_kept(asked: Asked) -> None:
    asked.kept.path.write_text("[home]\nphases = 3\n")
    wanted = {"home.name": "Mill", "home.phases": "1", "home.main_breaker": 9000}
    found = await asked.ask("PUT", "/api/settings", {"settings": wanted})
    assert not found["saved"]
    assert {each["key"] for each in found["mistakes"]} == {"home.phases", "home.main_breaker"}
    assert load(asked.kept.path).home.name == "Home"
    shown = (await asked.ask("GET", "/api/settings"))["settings"]
    fixed = {each["key"] for each in shown if each["fixed"]}
    assert fixed == {"home.phases"}


async def test_a_tariff_and_the_way_back(asked: Asked) -> None:
    tariff = {
        "kind": "bands",
        "currency": "EUR",
        "price": 0.31,
        "feed_in": 0.08,
        "bands": [{"price": 0.22, "begins": "22:00", "ends": "06:00", "days": "all"}],
    }
    assert (await asked.ask("PUT", "/api/settings/tariff", tariff))["saved"]
    shown = await asked.ask("GET", "/api/settings/tariff")
    assert (shown["whole"], shown["tariff"]["bands"]) == (True, tariff["bands"])
    section = load(asked.kept.path).tariff
    assert section.import_.window[0].price == 0.22
    (before,) = (await asked.ask("GET", "/api/settings"))["versions"]
    assert (await asked.ask("POST", f"/api/settings/versions/{before['number']}"))["saved"]
    assert (await asked.ask("GET", "/api/settings/tariff"))["tariff"] is None
    await asked.ask("POST", "/api/settings/versions/99", status=HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "bands", "price": 0.3},
        {"kind": "dynamic", "price": 0.3},
        {"kind": "flat", "price": 1e6},
        {"kind": "flat", "price": 0.3, "currency": "euro"},
        {"kind": "bands", "price": 1, "bands": [{"price": 1, "begins": "25:00", "ends": "26:00"}]},
    ],
)
async def test_a_tariff_that_makes_no_sense(asked: Asked, wrong: object) -> None:
    found = await asked.ask("PUT", "/api/settings/tariff", wrong, HTTPStatus.BAD_REQUEST)
    assert found["error"]


@pytest.mark.requirement("PRO-2030.5")
async def test_a_request_answered_makes_a_utility(asked: Asked, tmp_path: Path) -> None:
    async with asked.client.get("/api/setup/utility/request") as answer:
        request = x509.load_pem_x509_csr(await answer.read())
    pki = init_pki(tmp_path / "pki")
    certificates = [*sign_request(pki, request, "1"), *read_certificates(pki.trust.roots)]
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
    content = pem.decode() + pki.trust.crls.read_text()
    order = {"content": content, "server": "https://127.0.0.1:1/dcap"}
    refused = await asked.ask(
        "POST", "/api/setup/utility", {"content": "x"}, HTTPStatus.BAD_REQUEST
    )
    assert refused["error"] == "There is no certificate in what was given."
    found = await asked.ask("POST", "/api/setup/utility", {**order, "server": "http://x"})
    assert [each["key"] for each in found["mistakes"]] == ["utility.url"]
    assert (await asked.ask("POST", "/api/setup/utility", order))["saved"]
    shown = await asked.ask("GET", "/api/setup/utility")
    assert shown["configured"]
    assert len(shown["identity"]["lfdi"]) == 40
    async with asked.client.get("/api/setup/utility/identity.svg") as answer:
        assert answer.content_type == "image/svg+xml"
    assert (await asked.ask("DELETE", "/api/setup/utility"))["saved"]
    assert not (await asked.ask("GET", "/api/setup/utility"))["configured"]


async def sent(asked: Asked, content: bytes) -> str:
    name = (await asked.ask("POST", "/api/restore"))["id"]
    for at in range(0, len(content), PIECE):
        for _ in range(2):  # a piece may come twice
            async with asked.client.put(
                f"/api/restore/{name}/{at}", data=content[at : at + PIECE]
            ) as answer:
                assert answer.status == HTTPStatus.OK, await answer.text()
    return str(name)


@pytest.mark.requirement("LC-CHANGE")
async def test_a_backup_is_fetched_looked_into_and_restored(asked: Asked) -> None:
    await asked.ask("PUT", "/api/settings", {"settings": {"home.name": "Mill"}})
    made = await asked.ask("POST", "/api/backup", WORDS)
    async with asked.client.get(f"/api/backup/{made['id']}") as answer:
        content = await answer.read()
    assert len(content) == made["size"]
    name = await sent(asked, content)
    wrong = {"passphrase": "another passphrase"}
    found = await asked.ask("POST", f"/api/restore/{name}/look", wrong, HTTPStatus.BAD_REQUEST)
    assert found["error"] == "This is not the passphrase of this backup."
    assert (await asked.ask("POST", f"/api/restore/{name}/look", WORDS))["home"] == "Mill"
    assert asked.kept.anew == []
    await asked.ask("POST", f"/api/restore/{name}", WORDS)
    assert asked.kept.anew == [None]
    assert swap.resume(asked.kept.path.parent) is not None


async def test_a_file_that_is_not_whole_is_not_restored(asked: Asked) -> None:
    made = await asked.ask("POST", "/api/backup", WORDS)
    async with asked.client.get(f"/api/backup/{made['id']}") as answer:
        content = await answer.read()
    name = await sent(asked, content[:-1])
    found = await asked.ask("POST", f"/api/restore/{name}", WORDS, HTTPStatus.BAD_REQUEST)
    assert "nothing of it was used" in found["error"]
    async with asked.client.put(f"/api/restore/{name}/{len(content) + 9}", data=b"x") as answer:
        assert answer.status == HTTPStatus.BAD_REQUEST
    await asked.ask("POST", "/api/restore/0123/look", WORDS, HTTPStatus.NOT_FOUND)
    assert asked.kept.anew == []


@pytest.mark.requirement("LC-DECOMMISSION")
async def test_wiping_needs_the_homes_name_and_is_proved(asked: Asked) -> None:
    folder = asked.kept.path.parent
    files = (await asked.ask("GET", "/api/wipe"))["files"]
    assert str(folder / "hems.db") in files
    wrong = {"typed": "home"}
    found = await asked.ask("POST", "/api/wipe", wrong, HTTPStatus.BAD_REQUEST)
    assert "nothing was erased" in found["error"]
    assert not wipe.marked(folder)
    await asked.ask("POST", "/api/wipe", {"typed": "Home"}, HTTPStatus.NO_CONTENT)
    assert wipe.marked(folder)
    assert asked.kept.anew == [None]
    asked.kept.erased = Proof((Gone(folder / "hems.db", 1),), ())
    told = await asked.ask("GET", "/api/setup")
    assert told["erased"] == {"gone": [str(folder / "hems.db")], "left": []}
