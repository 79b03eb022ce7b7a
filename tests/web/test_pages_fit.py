"""Every view of the page, in each language: nothing sticks out, is cut off or left in English.

At 320 px, which is a page of 1280 px at 400 %, and at 200 % zoom on a laptop.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.web.album import steady_browser
from tests.web.house import House, house, visit

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
    pytest.mark.timeout(240),
]

VIEWS: Final = {
    "/": "steps",
    "/devices": "device-washer",
    "/devices/battery": "health-state",
    "/devices/add": "search-start",
    "/car": "car-steps",
    "/programmes": "records",
    "/history?span=week&at=2026-06-08&compare=before": "device-table",
    "/bill?month=2026-05": "bill-days",
    "/privacy": "trusted",
    "/settings": "versions",
    "/more": "language",
    "/nowhere": "content",
    **{
        f"/setup?step={step}": "step-done"
        for step in ("language", "account", "home", "tariff", "devices", "utility", "done")
    },
}
"""Each view's path, with the test id of what is there once it is all there."""
LANGUAGES: Final = {"en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}
QUICK: Final = {("en", "200 percent"), ("de", "320"), ("fr", "320"), ("es", "200 percent")}
"""Each language once; the other sizes in `make test-deep`."""
SMALLEST: Final = ViewportSize(width=320, height=640)
ZOOMED: Final = ViewportSize(width=640, height=400)
"""1280 x 800 at 200 %: half as many CSS pixels, each twice as large."""
LOCALES: Final = Path("web/app/src/locales")
SENTENCE: Final = 3
_OPEN: Final = """() => {
  document.querySelectorAll("details").forEach((each) => (each.open = true));
}"""
_STICKING_OUT: Final = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (element) => {
    for (let each = element; each; each = each.parentElement)
      if (/auto|scroll/.test(getComputedStyle(each).overflowX) && each.tabIndex >= 0) return true;
    return false;
  };
  const found = [];
  const say = (what, element) => found.push(
    `${what}: <${element.tagName.toLowerCase()} class="${element.className}"> ` +
    (element.innerText ?? "").trim().slice(0, 60));
  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest("svg, .unseen, .skip, [aria-hidden=true]") || scrolls(element)) continue;
    const style = getComputedStyle(element);
    if (style.clipPath !== "none") continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    if (box.left < -1 || box.right > wide + 1) say("over the edge", element);
    const cut = /hidden|clip/.test(style.overflowX) &&
      element.scrollWidth > element.clientWidth + 1;
    if (cut && element.innerText?.trim()) say("cut off", element);
    const tall = /hidden|clip/.test(style.overflowY) &&
      element.scrollHeight > element.clientHeight + 1;
    if (tall && element.innerText?.trim()) say("cut off below", element);
    if (element.matches("select, button, a, input") && element.scrollWidth > box.width + 1)
      say("too small for its words", element);
  }
  if (document.documentElement.scrollWidth > wide) found.push("the page scrolls sideways");
  return found;
}"""
_TEXTS: Final = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!parent.closest("script, style, [lang]:not(html)")) found.push(walk.currentNode.data);
  }
  for (const element of document.body.querySelectorAll("[aria-label], [title], [placeholder]"))
    for (const name of ["aria-label", "title", "placeholder"])
      found.push(element.getAttribute(name) ?? "");
  return found.map((text) => text.replace(/\\s+/g, " ").trim()).filter((text) => text !== "");
}"""
_KEY: Final = re.compile(r"\b[a-z]+(?:\.[a-z]\w*)+\b")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("house")) as made:
        made.show(made.eventful)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with steady_browser() as browser:
        yield browser


async def shown(page: Page, home: House, path: str) -> None:
    """Go to a view, and unfold all that is folded."""
    await page.goto(home.url + path)
    await expect(
        page.get_by_test_id(VIEWS[path]).or_(page.locator(f"#{VIEWS[path]}"))
    ).to_be_visible()
    await page.evaluate(_OPEN)


def _messages(tree: object, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _messages(value, f"{at}.{key}")
    elif isinstance(tree, str):
        yield at, tree


@cache
def _said(language: str) -> dict[str, str]:
    """Return what the page says in a language, by key."""
    return {
        key: text
        for path in sorted((LOCALES / language).glob("*.json"))
        for key, text in _messages(json.loads(path.read_text(encoding="utf-8")), path.stem)
    }


@cache
def _english(language: str) -> re.Pattern[str]:
    """Return what finds a whole English message that another language words otherwise."""
    other = _said(language)
    left = [
        "".join(".+?" if piece.startswith("{") else re.escape(piece) for piece in pieces)
        for key, text in _said("en").items()
        if other[key] != text and len(text.split()) >= SENTENCE
        for choice in text.split("|")
        if (pieces := [each for each in re.split(r"(\{\w+\})", choice.strip()) if each])
        and sum(len(each.split()) for each in pieces if not each.startswith("{")) >= SENTENCE
    ]
    return re.compile("|".join(f"(?:{each})" for each in left))


@pytest.mark.parametrize(
    ("language", "size"),
    [
        pytest.param(
            language,
            SMALLEST if size == "320" else ZOOMED,
            id=f"{language}-{size}",
            marks=[] if (language, size) in QUICK else [pytest.mark.deep],
        )
        for language in LANGUAGES
        for size in ("320", "200 percent")
    ],
)
async def test_nothing_sticks_out_or_is_cut_off_or_left_untranslated(
    home: House, chromium: Browser, language: str, size: ViewportSize
) -> None:
    scale = 2 if size is ZOOMED else 1
    found: list[str] = []
    async with visit(chromium, size, locale=LANGUAGES[language], scale=scale) as page:
        for path in VIEWS:
            await shown(page, home, path)
            found += [f"{path}: {each}" for each in await page.evaluate(_STICKING_OUT)]
            for text in await page.evaluate(_TEXTS):
                key = _KEY.fullmatch(text)
                if key is not None and key[0] in _said("en"):
                    found.append(f"{path}: a key: {text}")
                if language != "en" and _english(language).fullmatch(text):
                    found.append(f"{path}: English: {text}")
    assert found == []


async def test_what_sticks_out_is_found(home: House, chromium: Browser) -> None:
    async with visit(chromium, SMALLEST) as page:
        await shown(page, home, "/devices")
        assert await page.evaluate(_STICKING_OUT) == []
        await page.evaluate("document.querySelector('h1').style.minWidth = '400px'")
        assert any("over the edge" in each for each in await page.evaluate(_STICKING_OUT))
        await page.evaluate("document.querySelector('h1').style = 'width: 20px; overflow: hidden'")
        assert any("cut off" in each for each in await page.evaluate(_STICKING_OUT))
    assert _english("de").fullmatch("Nobody asks anything of your home. It runs as you set it.")
    assert _english("de").fullmatch("14:20 is 3 s ago and all") is None
