"""Second factors and consents in a real browser: passkeys over HTTPS, codes, and taking it back."""

import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Browser, CDPSession, Page, async_playwright, expect

from hems.access import totp
from hems.access.access import Access, access
from hems.access.passwords import Hasher
from hems.access.people import NewPerson
from hems.access.rights import Right, Role
from hems.store.store import open_store
from tests.browser import CHROMIUM_ARGS
from tests.web.agreed import agreed
from tests.web.axe import violations
from tests.web.entry import GOOD
from tests.web.lan import OUTSIDE, OnNetwork, on_network
from tests.web.outlook import ScriptedOutlook
from tests.web.showing import DESKTOP, PHONE, RESULTS, SMALLEST, page_settings
from tests.web.surface import ScriptedClock
from web.access_api import AccessApi
from web.consents_api import ConsentsApi
from web.door import Door
from web.factors_api import FactorsApi
from web.people_api import PeopleApi

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("PRV-RBAC", "L1-ACCESS", "ROLE-UI"),
]

NAME = "hems.test"


@dataclass
class Home:
    """A home's page by HTTPS, under its name, in a browser with a key of its own.

    Attributes:
        page: The page.
        url: Where it is.
        rights: Who may do what there.
        clock: Of its accounts.
        wire: To the browser itself.
        key: The browser's authenticator.
    """

    page: Page
    url: str
    rights: Access
    clock: ScriptedClock
    wire: CDPSession
    key: str
    complaints: list[str] = field(default_factory=list)

    async def log_in(self, code: str = "") -> None:
        """Type name, password and code, and go."""
        await self.page.get_by_test_id("login-name").fill("Ada")
        await self.page.get_by_test_id("login-password").fill(GOOD)
        await self.page.get_by_test_id("login-go").click()
        if code:
            await self.page.get_by_test_id("login-code").fill(code)
            await self.page.get_by_test_id("login-go").click()

    async def log_out(self) -> None:
        """Log out, and wait for the way in."""
        await self.page.get_by_test_id("log-out").click()
        await expect(self.page.get_by_test_id("login")).to_be_visible()
        await self.page.goto("/login?to=/people")
        await expect(self.page.get_by_test_id("login")).to_be_visible()

    async def keep_codes(self) -> list[str]:
        """Read the recovery codes, and say so."""
        codes = await self.page.get_by_test_id("codes").locator("code").all_inner_texts()
        await self.page.get_by_test_id("codes-kept").click()
        return codes


@asynccontextmanager
async def named_browser(hub: OnNetwork) -> AsyncIterator[Browser]:
    """Open a browser that trusts the hub's certificate, and finds it by its name."""
    chromium = shutil.which("chromium")
    assert chromium is not None
    shown = hub.presence.identity.shown
    assert shown is not None
    spki = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    mark = base64.b64encode(digest.finalize()).decode()
    args = [
        *CHROMIUM_ARGS,
        f"--ignore-certificate-errors-spki-list={mark}",
        f"--host-resolver-rules=MAP {NAME} {OUTSIDE}",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=args)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    clock = ScriptedClock()
    store = await open_store(tmp_path / "hems.db", clock)
    rights = access(store.people, store.trail, tmp_path / ".code", clock, Hasher(1, 64))
    await rights.ready()
    await rights.people.first(NewPerson("Ada", Role.OWNER, GOOD))

    async def set_up() -> bool:
        return True

    parts = (
        *ScriptedOutlook().parts(),
        AccessApi(rights, set_up),
        FactorsApi(rights),
        PeopleApi(rights, clock),
        ConsentsApi(rights, clock),
    )
    static = page_settings().static_dir
    async with (
        on_network(tmp_path, static=static, names=(NAME,), parts=parts, door=Door(rights)) as hub,
        named_browser(hub) as browser,
    ):
        url = f"https://{NAME}:{urlsplit(hub.https).port}"
        context = await browser.new_context(
            base_url=url, viewport=PHONE, reduced_motion="reduce", locale="en-GB"
        )
        page = await context.new_page()
        wire = await context.new_cdp_session(page)
        await wire.send("WebAuthn.enable")
        made = await wire.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        found = Home(page, url, rights, clock, wire, made["authenticatorId"])
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        yield found
        await context.close()
        assert found.complaints == []
    await store.close()


async def test_a_passkey_is_made_and_is_a_whole_login_and_a_proof(home: Home) -> None:
    page = home.page
    await page.goto("/login?to=/people")
    await expect(page.get_by_test_id("login-passkey")).to_have_count(0)
    await home.log_in()
    await page.get_by_test_id("add-passkey").locator("summary").click()
    await page.get_by_test_id("passkey-name").fill("Ada's phone")
    await page.get_by_test_id("passkey-go").click()
    await expect(page.get_by_test_id("codes").locator("code")).to_have_count(10)
    assert await violations(page) == []
    await page.screenshot(path=RESULTS / "page-recovery-codes.png", full_page=True)
    codes = await home.keep_codes()
    await expect(page.get_by_test_id("passkey")).to_contain_text("Ada's phone")
    (kept,) = (await home.wire.send("WebAuthn.getCredentials", {"authenticatorId": home.key}))[
        "credentials"
    ]
    assert (kept["rpId"], kept["isResidentCredential"]) == (NAME, True)

    await home.log_out()
    assert await violations(page) == []
    await page.screenshot(path=RESULTS / "page-login-passkey.png", full_page=True)
    await page.get_by_test_id("login-passkey").click()
    await expect(page.get_by_test_id("my-role")).to_have_text("Owner")
    ada = home.rights.people.all()[0]
    (view,) = home.rights.passkeys.of(ada.id)
    assert view.used_at is not None

    home.clock.at += 301.0
    await page.get_by_test_id("codes-new").click()
    await expect(page.get_by_test_id("proof")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_test_id("proof-passkey").click()
    await expect(page.get_by_test_id("codes").locator("code")).to_have_count(10)
    fresh = await home.keep_codes()
    assert not set(codes) & set(fresh)

    await home.log_out()
    await home.log_in(codes[0])
    await expect(page.get_by_test_id("login-error")).to_contain_text("does not fit")
    await page.get_by_test_id("login-code").fill(fresh[0])
    await page.get_by_test_id("login-go").click()
    await expect(page.get_by_test_id("codes-left")).to_contain_text("9 left")


async def test_who_is_not_recognised_is_not_let_in(home: Home) -> None:
    page = home.page
    await page.goto("/login?to=/people")
    await home.log_in()
    await page.get_by_test_id("add-passkey").locator("summary").click()
    await page.get_by_test_id("passkey-go").click()
    await home.keep_codes()
    await home.log_out()
    asked = {"authenticatorId": home.key, "isUserVerified": False}
    await home.wire.send("WebAuthn.setUserVerified", asked)
    await page.get_by_test_id("login-passkey").click()
    await expect(page.get_by_test_id("login-passkey")).to_be_enabled(timeout=20_000)
    await expect(page.get_by_test_id("login")).to_be_visible()


async def test_an_app_for_codes_is_set_up_used_and_removed(home: Home) -> None:
    page = home.page
    await page.goto("/login?to=/people")
    await home.log_in()
    await page.get_by_test_id("app-begin").click()
    await expect(page.get_by_test_id("app-code")).to_be_focused()
    assert await violations(page) == []
    await page.screenshot(path=RESULTS / "page-app-for-codes.png", full_page=True)
    secret = (await page.get_by_test_id("app-secret").inner_text()).replace(" ", "")
    await page.get_by_test_id("app-code").fill("000000")
    await page.get_by_test_id("app-confirm").click()
    await expect(page.get_by_test_id("factors-error")).to_contain_text("not the code")
    await page.get_by_test_id("app-code").fill(totp.code_at(secret, home.clock.now()))
    await page.get_by_test_id("app-confirm").click()
    await home.keep_codes()
    await expect(page.get_by_test_id("app")).to_be_visible()
    home.clock.at += totp.STEP_S
    await home.log_out()
    await page.get_by_test_id("login-name").fill("Ada")
    await page.get_by_test_id("login-password").fill(GOOD)
    await page.get_by_test_id("login-go").click()
    await expect(page.get_by_test_id("login-code")).to_be_focused()
    assert await violations(page) == []
    await page.screenshot(path=RESULTS / "page-login-code.png", full_page=True)
    await page.get_by_test_id("login-code").fill(totp.code_at(secret, home.clock.now()))
    await page.keyboard.press("Enter")
    await page.get_by_test_id("app-remove").click()
    await expect(page.get_by_test_id("app-begin")).to_be_visible()
    await home.log_out()
    await home.log_in()
    await expect(page.get_by_test_id("my-role")).to_have_text("Owner")


async def test_who_needs_a_second_factor_is_led_to_it(home: Home) -> None:
    page = home.page
    await home.rights.people.add(NewPerson("Kim", Role.HOUSEHOLD, GOOD))
    await page.goto("/login?to=/people")
    await home.log_in()
    await page.get_by_test_id("rules").locator("summary").click()
    await page.get_by_test_id("rule-household").check()
    await page.get_by_test_id("rules-go").click()
    await expect(page.get_by_test_id("rules-go")).to_be_enabled()
    await home.log_out()
    await page.get_by_test_id("login-name").fill("Kim")
    await page.get_by_test_id("login-password").fill(GOOD)
    await page.get_by_test_id("login-go").click()
    await expect(page.get_by_test_id("lacks")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_test_id("add-passkey").locator("summary").click()
    await page.get_by_test_id("passkey-go").click()
    await home.keep_codes()
    await expect(page.get_by_test_id("lacks")).to_have_count(0)
    await expect(page.get_by_test_id("my-rights")).to_contain_text("steer")


async def test_a_token_is_made_with_less_than_its_role(home: Home) -> None:
    page = home.page
    await page.goto("/login?to=/people")
    await home.log_in()
    await page.get_by_test_id("add-token").locator("summary").click()
    await page.get_by_test_id("token-name").fill("display")
    await page.get_by_test_id("token-right-steer").uncheck()
    await page.get_by_test_id("token-right-history").uncheck()
    await page.get_by_test_id("token-network").fill("192.168.1.0/24")
    await page.get_by_test_id("token-go").click()
    await expect(page.get_by_test_id("token-held")).to_contain_text("see the home")
    assert await violations(page) == []
    (row,) = home.rights.tokens.all()
    assert (row.rights, row.network) == ("anybody,see", "192.168.1.0/24")


@pytest.mark.parametrize(
    ("size", "dark"), [(PHONE, False), (DESKTOP, True), (SMALLEST, False)], ids=str
)
async def test_the_owner_consents_and_takes_it_back(
    browser: Browser, tmp_path: Path, size: dict[str, int], *, dark: bool
) -> None:
    async with agreed(browser, tmp_path, size, dark=dark) as shown:  # type: ignore[arg-type]
        page = shown.page
        await shown.go("/privacy")
        party = page.locator('[data-party="Sunny Energy"]')
        await expect(party.get_by_test_id("consent")).to_have_count(1)
        await party.get_by_test_id("consent-new").click()
        await expect(page.get_by_test_id("consent-purpose")).to_be_focused()
        await page.get_by_test_id("consent-purpose").select_option("flexibility")
        await page.get_by_test_id("consent-agree").check()
        await page.get_by_test_id("consent-until").fill("2027-06-01")
        assert await violations(page) == []
        await shown.picture(f"consents-{size['width']}")
        await page.get_by_test_id("consent-confirm").click()
        await expect(party.get_by_test_id("consent")).to_have_count(2)
        people = shown.rights.people
        company = people.find("Sunny Energy")
        assert company is not None
        assert shown.rights.who(company).may(Right.AGREE)
        await party.get_by_test_id("consent-end").first.click()
        await expect(party.get_by_test_id("consent")).to_have_count(1)
        await party.get_by_test_id("party-remove").click()
        await party.get_by_test_id("party-remove-yes").click()
        await expect(party).to_have_count(0)
        assert people.find("Sunny Energy") is None
        await page.get_by_test_id("program-end").click()
        await expect(page.get_by_test_id("program")).to_have_count(0)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]
