"""A home enrolled on its page by a code, in a real browser at a real utility."""

from pathlib import Path

import pytest
import segno
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.async_api import Browser, Page, expect

from certs.pem import read_certificates
from certs.pki import init_pki, sign_request
from hems.settings.config import load
from tests.hems.headend.enrolling import utility_in
from tests.waiting import until
from tests.web.axe import violations
from tests.web.showing import DESKTOP, PHONE, RESULTS, SMALLEST
from tests.web.test_setup_page import Walk, at_step, walking

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI", "LC-COMMISSION", "L1-AUTH"),
]


async def enrolled(page: Page, walk: Walk) -> str:
    """Wait until the page shows the home as enrolled; return its LFDI."""
    await expect(page.get_by_test_id("identity-lfdi")).to_be_visible(timeout=20_000)
    (section,) = load(walk.kept.path).utility
    assert len(read_certificates(section.certificate)) == 3
    return await page.get_by_test_id("identity-lfdi").inner_text()


async def test_a_code_is_typed_in_small_letters(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    async with (
        utility_in(tmp_path / "utility") as utility,
        walking(browser, tmp_path / "home") as walk,
    ):
        page = walk.page
        await at_step(walk, "utility")
        code = await utility.code()
        await page.get_by_test_id("utility-code").fill(code.text().lower().replace("-", " "))
        await page.keyboard.press("Tab")
        await page.get_by_test_id("utility-code-connect").press("Enter")
        own = await enrolled(page, walk)
        assert utility.head_end.book.home(own) is not None
        await expect(page.get_by_test_id("identity-pin")).to_have_text(code.pin)


async def test_a_photo_of_the_code_is_read(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    async with (
        utility_in(tmp_path / "utility") as utility,
        walking(browser, tmp_path / "home", PHONE) as walk,
    ):
        page = walk.page
        await at_step(walk, "utility")
        other = tmp_path / "other.png"
        await page.screenshot(path=other)
        await page.get_by_test_id("utility-photo").set_input_files(other)
        await expect(page.get_by_test_id("utility-unread")).to_be_visible(timeout=20_000)
        text = (await utility.code()).text()
        photo = tmp_path / "photo.png"
        segno.make(text.upper(), error="m", micro=False).save(str(photo), scale=12, border=8)
        await page.get_by_test_id("utility-photo").set_input_files(photo)
        await expect(page.get_by_test_id("utility-code")).to_have_value(
            text.upper(), timeout=20_000
        )
        await expect(page.get_by_test_id("utility-unread")).to_have_count(0)
        await page.get_by_test_id("utility-code-connect").click()
        await enrolled(page, walk)


async def test_a_code_that_is_not_taken_is_said_in_the_pages_language(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    async with (
        utility_in(tmp_path / "utility") as utility,
        walking(browser, tmp_path / "home", locale="de-DE") as walk,
    ):
        page, error = walk.page, walk.page.get_by_test_id("utility-code-error")
        await at_step(walk, "utility")
        text = (await utility.code()).text()
        slip = text[:-1] + ("0" if text[-1] != "0" else "1")
        for wrong, said in (
            (slip, "Tippfehler"),
            (text.replace(f":{utility.est.rpartition(':')[2]}:", ":1:"), "Tippfehler"),
        ):
            await page.get_by_test_id("utility-code").fill(wrong)
            await page.get_by_test_id("utility-code-connect").click()
            await expect(error).to_contain_text(said, timeout=20_000)
        assert load(walk.kept.path).utility == ()
        walk.complaints = [each for each in walk.complaints if "400" not in each]


async def test_the_page_waits_for_the_utilitys_approval(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    async with (
        utility_in(tmp_path / "utility", approve=True, again_s=1) as utility,
        walking(browser, tmp_path / "home") as walk,
    ):
        page = walk.page
        await at_step(walk, "utility")
        await page.get_by_test_id("utility-code").fill((await utility.code()).text())
        await page.get_by_test_id("utility-code-connect").click()
        await expect(page.get_by_test_id("utility-waiting")).to_be_visible(timeout=20_000)
        await until(
            lambda: utility.operator.ask("GET", "/enrolments"),
            lambda said: bool(said[1]["enrolments"]),
            10.0,
            "it waits at the utility",
        )
        found = await utility.waiting()
        await utility.operator.ask("POST", f"/enrolments/{found['id']}/approve")
        await enrolled(page, walk)


async def test_a_utility_that_works_with_files(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    pki = init_pki(tmp_path / "pki")
    async with walking(browser, tmp_path / "home") as walk:
        page = walk.page
        await at_step(walk, "utility")
        await page.get_by_test_id("utility-by-files").locator("summary").first.click()
        await expect(page.get_by_test_id("identity-pin")).to_be_visible()
        async with page.expect_download() as downloading:
            await page.get_by_test_id("utility-request").click()
        request = x509.load_pem_x509_csr((await (await downloading.value).path()).read_bytes())
        parts = [*sign_request(pki, request, "1"), *read_certificates(pki.trust.roots)]
        answer = tmp_path / "answer.pem"
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in parts)
        answer.write_bytes(
            b"Server: https://127.0.0.1:1/dcap\n" + pem + pki.trust.crls.read_bytes()
        )
        await page.get_by_test_id("utility-files").set_input_files(answer)
        await page.get_by_test_id("utility-connect").click()
        await enrolled(page, walk)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "fr-FR", "es-ES"])
async def test_it_looks_right_everywhere(browser: Browser, tmp_path: Path, locale: str) -> None:
    dark = locale in {"de-DE", "es-ES"}
    async with walking(browser, tmp_path, dark=dark, locale=locale) as walk:
        page = walk.page
        for size, name in ((DESKTOP, "desktop"), (PHONE, "phone"), (SMALLEST, "smallest")):
            await page.set_viewport_size(size)
            await at_step(walk, "utility")
            await expect(page.get_by_test_id("utility-code")).to_be_visible()
            assert await violations(page) == []
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) <= 0, name
            await page.screenshot(path=RESULTS / f"enrol-{name}-{locale[:2]}.png", full_page=True)
        await page.get_by_test_id("utility-by-files").locator("summary").first.click()
        await expect(page.get_by_test_id("utility-request")).to_be_visible()
        assert await violations(page) == []
