"""The page on a phone in a real browser: trusted, installed, there without a line, and told."""

import base64
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Browser, CDPSession, Page, ViewportSize, async_playwright, expect

from hems.clock import SystemClock
from hems.push.push import Manner, Push, open_push
from hems.store.store import open_store
from tests.browser import CHROMIUM_ARGS
from tests.hems.push.service import push_service
from tests.hems.push.test_occasions import EVENT
from tests.hems.push.test_push import Shown as PushedHome
from tests.waiting import until
from tests.web.axe import violations
from tests.web.lan import OUTSIDE, OnNetwork, on_network
from tests.web.outlook import ScriptedOutlook
from tests.web.showing import DESKTOP, PHONE, RESULTS, SMALLEST, page_settings
from tests.web.visitor import Visitor
from web.operation import Part
from web.push_api import PushApi
from web.words import tell

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]

NEWER = "f" * 16


@dataclass
class Phone:
    """A page in a browser that trusts the hub's certificate."""

    page: Page
    hub: OnNetwork
    wire: CDPSession
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str, test_id: str) -> None:
        """Load a place of the page by HTTPS."""
        await self.page.goto(f"{self.hub.https}{path}")
        await expect(self.page.get_by_test_id(test_id)).to_be_visible()

    async def working(self) -> None:
        """Wait until the service worker is in charge of what is loaded next."""
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")


@asynccontextmanager
async def a_hub(
    folder: Path, *, static: Path | None = None, parts: tuple[Part, ...] = ()
) -> AsyncIterator[OnNetwork]:
    visitor = Visitor()
    served = (*ScriptedOutlook().parts(), visitor, *parts)
    built = static or page_settings().static_dir
    async with on_network(folder, static=built, parts=served, door=visitor) as hub:
        yield hub


@asynccontextmanager
async def trusting_browser(hub: OnNetwork) -> AsyncIterator[Browser]:
    """A browser that takes the hub's certificate for good, as after the guide's steps."""
    shown = hub.presence.identity.shown
    assert shown is not None
    spki = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    mark = base64.b64encode(digest.finalize()).decode()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*CHROMIUM_ARGS, f"--ignore-certificate-errors-spki-list={mark}"],
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def a_phone(
    hub: OnNetwork, viewport: ViewportSize = PHONE, *, dark: bool = False, locale: str = "en-GB"
) -> AsyncIterator[Phone]:
    async with trusting_browser(hub) as browser:
        context = await browser.new_context(
            viewport=viewport,
            locale=locale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["notifications"],
        )
        page = await context.new_page()
        phone = Phone(page, hub, await context.new_cdp_session(page))
        page.on("pageerror", lambda error: phone.complaints.append(str(error)))
        yield phone
        await context.close()
    assert phone.complaints == []


async def test_a_browser_that_does_not_trust_the_hub_is_led_to_it(
    browser: Browser, tmp_path: Path
) -> None:
    async with a_hub(tmp_path) as hub:
        page = await browser.new_page(viewport=PHONE, locale="en-GB")
        await page.goto(hub.http)
        check = page.get_by_test_id("check")
        await expect(check).to_have_attribute("data-trusted", "false")
        told = hub.presence.view()
        await expect(page.get_by_test_id("spoken-print")).to_have_text(told.spoken)
        await page.get_by_test_id("system").select_option("ios")
        await expect(page.get_by_test_id("steps").locator("li")).to_have_count(4)
        href = await page.get_by_test_id("download").get_attribute("href")
        assert href == "/api/lan/home-energy.mobileconfig?lang=en"
        assert await violations(page) == []
        await page.screenshot(path=RESULTS / "phone-trust.png", full_page=True)
        await page.get_by_test_id("language").select_option("de")
        await expect(page.locator("h1")).to_contain_text("bekannt machen")
        await page.close()


async def test_a_browser_that_trusts_the_hub_is_told_so_and_goes_on(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, a_phone(hub) as phone:
        await phone.page.goto(hub.http)
        check = phone.page.get_by_test_id("check")
        await expect(check).to_have_attribute("data-trusted", "true")
        await phone.page.get_by_test_id("open").click()
        await expect(phone.page.get_by_test_id("net-power")).to_be_visible()
        assert phone.page.url == f"{hub.https}/"


async def test_the_page_can_be_installed(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, a_phone(hub) as phone:
        await phone.open("/phone", "code")
        await phone.working()
        told = await phone.wire.send("Page.getAppManifest")
        manifest = json.loads(told["data"])
        assert told["errors"] == []
        assert (manifest["id"], manifest["lang"], manifest["name"]) == ("/", "en", "Home energy")
        sizes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
        assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
        for icon in manifest["icons"]:
            answer = await phone.page.request.get(
                f"{hub.here}{icon['src']}", headers={"Accept": "image/*"}
            )
            assert answer.headers["content-type"] == icon["type"]
        found = await phone.wire.send("Page.getInstallabilityErrors")
        kinds = {error["errorId"] for error in found["installabilityErrors"]}
        assert kinds <= {"in-incognito"}, "a test's window is a private one"


@pytest.mark.parametrize(
    ("locale", "name"), [("de-DE", "Energie zu Hause"), ("fr-FR", "Énergie à la maison")]
)
async def test_the_app_is_called_by_the_reader_s_language(
    tmp_path: Path, locale: str, name: str
) -> None:
    async with a_hub(tmp_path) as hub, a_phone(hub, locale=locale) as phone:
        await phone.open("/phone", "code")
        link = phone.page.locator("link#manifest")
        await expect(link).to_have_attribute("href", f"/manifest.{locale[:2]}.webmanifest")
        told = await phone.wire.send("Page.getAppManifest")
        assert json.loads(told["data"])["name"] == name


async def test_without_a_line_the_page_is_there_and_its_figures_are_called_old(
    tmp_path: Path,
) -> None:
    async with a_hub(tmp_path) as hub, a_phone(hub) as phone:
        await phone.open("/phone", "code")
        await phone.working()
        await phone.open("/", "net-power")
        await phone.page.context.set_offline(offline=True)
        await phone.page.reload()
        await expect(phone.page.get_by_test_id("offline")).to_be_visible()
        await expect(phone.page.locator("nav").first).to_be_visible()
        await phone.page.goto(f"{hub.https}/more")
        await expect(phone.page.get_by_test_id("language")).to_be_visible()
        kept = await phone.page.evaluate(
            "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name)"
            ".then((cache) => cache.keys()))))"
            ".then((all) => all.flat().map((request) => new URL(request.url).pathname))"
        )
        assert "/" in kept
        assert not [path for path in kept if path.startswith(("/api", "/trust"))]


async def test_a_new_version_is_announced_and_taken_when_the_reader_agrees(tmp_path: Path) -> None:
    static = tmp_path / "built"
    shutil.copytree(page_settings().static_dir, static)
    async with a_hub(tmp_path, static=static) as hub, a_phone(hub) as phone:
        await phone.open("/phone", "code")
        await phone.working()
        await phone.open("/phone", "code")
        index = static / "index.html"
        index.write_text(index.read_text().replace("<title>", "<title>New "))
        worker = static / "sw.js"
        worker.write_text(re.sub(r"[0-9a-f]{16}(?=`)", NEWER, worker.read_text(), count=1))
        for packed in (*static.glob("index.html.*"), *static.glob("sw.js.*")):
            packed.unlink()
        await phone.page.evaluate(
            "navigator.serviceWorker.getRegistration().then((found) => found.update())"
        )
        await expect(phone.page.get_by_test_id("update")).to_be_visible()
        async with phone.page.expect_navigation():
            await phone.page.get_by_test_id("update-now").click()
        await expect(phone.page.get_by_test_id("code")).to_be_visible()
        names = await phone.page.evaluate("caches.keys()")
        assert names == [f"shell-{NEWER}"], "the old version is gone"
        assert await phone.page.evaluate("location.pathname") == "/phone"


async def test_what_the_hub_pushes_is_shown_and_leads_to_its_place(tmp_path: Path) -> None:
    home = PushedHome()
    store = await open_store(tmp_path / "hems.db", SystemClock())
    async with push_service(tmp_path) as service:
        manner = Manner(
            ZoneInfo("Europe/Berlin"),
            tell,
            "mailto:owner@example.com",
            private=True,
            trust=service.trusting,
        )
        push: Push = await open_push(home, store.settings, SystemClock(), manner)
        service.key = push.signer.public
        async with a_hub(tmp_path, parts=(PushApi(push),)) as hub, a_phone(hub) as phone:
            browser = service.browser()
            # The maker's push service is out of reach here: ours stands in at these calls.
            given = {"endpoint": browser.endpoint, "keys": browser.keys}
            await phone.page.add_init_script(
                f"let mine = null; const given = {json.dumps(given)};"
                "const made = {...given, options: {applicationServerKey: null}, "
                "toJSON: () => given, unsubscribe: async () => { mine = null; return true; }};"
                "PushManager.prototype.subscribe = async () => mine = made;"
                "PushManager.prototype.getSubscription = async () => mine;"
            )
            await phone.open("/phone", "push-on")
            await phone.page.get_by_test_id("subject-messages").uncheck()
            await phone.page.get_by_test_id("quiet").check()
            await phone.page.get_by_test_id("called").fill("Anna's phone")
            await phone.page.get_by_test_id("push-on").click()
            await expect(phone.page.get_by_test_id("push-said")).to_have_text("Saved.")
            (kept,) = push.all()
            assert kept.called == "Anna's phone"
            assert "messages" not in kept.subjects
            assert kept.quiet is not None
            assert (kept.quiet.start, kept.quiet.end) == (22 * 60, 7 * 60)
            assert await violations(phone.page) == []
            await phone.page.screenshot(path=RESULTS / "phone-push.png", full_page=True)

            await phone.page.get_by_test_id("quiet").uncheck()
            await phone.page.get_by_test_id("push-on").click()
            await expect(phone.page.get_by_test_id("push-said")).to_have_text("Saved.")
            home.home = replace(
                home.home, at=SystemClock().now(), events=(_soon(SystemClock().now()),)
            )
            await push.look()

            async def arrived() -> int:
                return len(service.deliveries)

            await until(arrived, bool, 20, "the push service has it")
            message = browser.read(service.deliveries[0].sealed)
            shown = await _delivered(phone, json.dumps(message))
            assert shown["title"] == "Peak Saver asks: Import at most 1.5 kW"
            assert shown["data"] == "/"

            await phone.page.get_by_test_id("push-off").click()
            await expect(phone.page.get_by_test_id("push-said")).to_contain_text("nothing any more")
            assert push.all() == []
        await push.close()
    await store.close()


def _soon(now: float) -> Any:
    return replace(EVENT, starts_at=now + 600, ends_at=now + 7200)


async def _delivered(phone: Phone, message: str) -> dict[str, Any]:
    """Hand a message to the service worker as the browser does, and return what is shown."""
    versions: list[dict[str, Any]] = []
    phone.wire.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: versions.extend(told["registrations"]),
    )
    await phone.wire.send("ServiceWorker.enable")

    async def registered() -> list[dict[str, Any]]:
        return versions

    found = await until(registered, bool, 10, "the worker is known")
    await phone.wire.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": phone.hub.https,
            "registrationId": found[0]["registrationId"],
            "data": message,
        },
    )

    async def notices() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = await phone.page.evaluate(
            "navigator.serviceWorker.ready.then((found) => found.getNotifications())"
            ".then((all) => all.map(({title, body, data}) => ({title, body, data})))"
        )
        return told

    return (await until(notices, bool, 10, "it is shown"))[0]


async def test_a_browser_whose_maker_cannot_be_reached_says_so(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    manner = Manner(ZoneInfo("UTC"), tell, "mailto:owner@example.com")
    push = await open_push(PushedHome(), store.settings, SystemClock(), manner)
    async with a_hub(tmp_path, parts=(PushApi(push),)) as hub, a_phone(hub) as phone:
        await phone.open("/phone", "push-on")
        await phone.page.get_by_test_id("push-on").click()
        await expect(phone.page.get_by_test_id("push-error")).to_be_visible(timeout=30_000)
    await push.close()
    await store.close()


@pytest.mark.parametrize(
    ("name", "viewport", "dark", "locale"),
    [
        ("phone", PHONE, False, "en-GB"),
        ("phone-dark", PHONE, True, "fr-FR"),
        ("smallest", SMALLEST, False, "de-DE"),
        ("desktop", DESKTOP, False, "es-ES"),
        ("desktop-dark", DESKTOP, True, "en-GB"),
    ],
)
async def test_how_it_looks(
    tmp_path: Path, name: str, viewport: ViewportSize, locale: str, *, dark: bool
) -> None:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    manner = Manner(ZoneInfo("UTC"), tell, "mailto:owner@example.com")
    push = await open_push(PushedHome(), store.settings, SystemClock(), manner)
    async with (
        a_hub(tmp_path, parts=(PushApi(push),)) as hub,
        a_phone(hub, viewport, dark=dark, locale=locale) as phone,
    ):
        await phone.open("/phone", "push-on")
        assert await violations(phone.page) == []
        wide = await phone.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"]
        await phone.page.screenshot(path=RESULTS / f"phone-{name}.png", full_page=True)
    await push.close()
    await store.close()


async def test_on_this_machine_alone_it_says_how_phones_could_use_it(
    browser: Browser, tmp_path: Path
) -> None:
    async with a_hub(tmp_path) as hub:
        page = await browser.new_page(viewport=PHONE, locale="en-GB")
        await page.goto(f"{hub.here}/phone")
        await expect(page.get_by_test_id("trust-address")).to_have_text(
            f"http://{OUTSIDE}:{hub.here.rpartition(':')[2]}/trust"
        )
        await page.close()
