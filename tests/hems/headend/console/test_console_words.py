"""The console's words for what the server says: each is of a sentence that the server has."""

import ast
import json
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from hems.headend.operators.table import table
from tests.hems.headend.console.conftest import Shows, Town

pytestmark = pytest.mark.requirement("ROLE-UI")

_CONSOLE: Final = Path("web/app/console/src/locales")
_WITHIN_MS: Final = 30_000
_PLACE: Final = re.compile(r"\{[^{}]*\}")


def said_by_the_server() -> set[str]:
    """All texts in its source, with `{}` in the places of what is filled in."""
    found = set[str]()
    for file in Path("hems/headend").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.JoinedStr():
                    parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
                    found.add("".join(map(str, parts)))
                case ast.Constant(value=str() as text):
                    found.add(_PLACE.sub("{}", text))
    return found


def test_each_sentence_that_is_translated_is_one_of_the_servers() -> None:
    known = said_by_the_server()
    told = json.loads((_CONSOLE / "de/server.json").read_text(encoding="utf-8"))
    composed = {"auditor or admin"}  # of roles, by the gate
    missing = [each for each in told if _PLACE.sub("{}", each) not in known | composed]
    assert missing == []
    assert len(told) > 60


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_deed_that_has_words_is_one_that_the_trail_may_have(language: str) -> None:
    told = json.loads((_CONSOLE / language / "fleet.json").read_text(encoding="utf-8"))
    changing = {f"{rule.method} {rule.path}" for rule in table().rows if rule.method != "GET"}
    assert set(told["trail"]["deeds"]) - changing == set()


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_what_the_server_says_comes_in_the_readers_language(show: Shows, town: Town) -> None:
    console = await show("", locale="de-DE")
    page = console.page
    await town.employ("Ines")
    await console.log_in("Ines", "a wrong pass phrase")
    wrong = page.get_by_test_id("login-error")
    await expect(wrong).to_have_text("Name und Passwort passen nicht zusammen", timeout=_WITHIN_MS)
    await console.log_in("Ines")
    await expect(page.get_by_test_id("me")).to_contain_text("Ines", timeout=_WITHIN_MS)

    lfdi = town.homes["home-b"].lfdi
    await town.operator.ask("PUT", f"/fleet/hubs/{lfdi}/policy", {"largest_event_w": 1000})
    await console.open("/events/new?group=tx-1")
    await page.get_by_test_id("kind").select_option("shed_w")
    await page.get_by_test_id("value").fill("1.5")
    await expect(page.get_by_test_id("why-barred")).to_contain_text(
        "der Vertrag erlaubt höchstens 1000 W, nicht 1500 W", timeout=_WITHIN_MS
    )
    event = await town.operator.event(shed_w=1500, minutes=30, group="tx-1")
    await console.open(f"/events/{event['id']}")
    await page.get_by_test_id("why-untold").click(timeout=_WITHIN_MS)
    await expect(page.get_by_test_id("untold")).to_contain_text("1 der Vertrag erlaubt höchstens")
    await console.open(f"/hubs/{lfdi}")
    await expect(page.get_by_test_id("history")).to_contain_text("Zustand: abgenommen → in Betrieb")


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_names_are_text_wherever_they_are_shown(show: Shows, town: Town) -> None:
    """Whoever names a group, a site or an account puts nothing but text on others' pages."""
    name = '<img src=x onerror="document.title=1">'
    group = {"kind": "transformer", "parent": "feeder-1", "name": name}
    assert (await town.operator.ask("PUT", "/fleet/groups/tx-1", group))[0] == 200
    event = await town.operator.event(shed_w=500, minutes=30, group="tx-1")
    wrong = {"name": name, "password": "a wrong pass phrase"}
    assert (await town.operator.ask("POST", "/session", wrong))[0] == 401
    console = await show("Ines")
    page = console.page
    for path in ("/groups?g=tx-1", "/events", f"/events/{event['id']}", "/trail"):
        await console.open(path)
        await expect(page.get_by_text(name).first).to_be_visible(timeout=_WITHIN_MS)
        assert await page.locator("img[src=x]").count() == 0
        assert await page.title() != "1"
