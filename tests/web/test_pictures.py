"""The page still looks as the pictures of it that are kept; `make pictures` writes them anew."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.web.album import SCENES, Shot, posing, shots, steady_browser, taken
from tests.web.house import House, house
from tests.web.likeness import MOST, differences, opened, unlike
from tests.web.showing import RESULTS

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
    pytest.mark.timeout(180),
]

EVENT = Shot(next(scene for scene in SCENES if scene.event), "phone", dark=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with steady_browser() as browser:
        yield browser


@pytest.mark.parametrize("shot", [pytest.param(each, id=each.name) for each in shots()])
async def test_it_looks_as_it_did(home: House, chromium: Browser, shot: Shot) -> None:
    kept = opened(shot.kept)
    async with posing(chromium, home, shot) as page:
        now = await taken(page)
    apart = unlike(kept, now)
    if apart > MOST:
        now.save(RESULTS / f"picture-{shot.name}.png")
        differences(kept, now).save(RESULTS / f"picture-{shot.name}-differs.png")
    assert apart <= MOST, (
        f"{100 * apart:.2f} % of {shot.kept.name} look different: see {RESULTS}/picture-*; "
        "if that is meant, run `make pictures`"
    )


@pytest.mark.parametrize(
    ("change", "least"),
    [
        pytest.param(
            "[data-testid=event-card] {display: none !important}", 0.05, id="a card is missing"
        ),
        pytest.param("[data-testid=flow] .stream {opacity: 0 !important}", MOST, id="lines are"),
        pytest.param(
            "[data-testid=event-title] {display: none !important}", MOST, id="a line of text is"
        ),
        pytest.param(":root {--event-paper: #4b1d4f !important}", 0.05, id="a card is purple"),
        pytest.param(":root {--ink: #6f7a7c !important}", MOST, id="all writing is pale"),
        pytest.param(":root {--paper: #d9d4ca !important}", 0.05, id="the paper is darker"),
        pytest.param("main {margin-top: 12px}", 0.05, id="all of it has moved"),
        pytest.param("h1 {font-size: 20px !important}", MOST, id="a headline is smaller"),
    ],
)
async def test_a_change_that_people_would_see_is_found(
    home: House, chromium: Browser, change: str, least: float
) -> None:
    kept = opened(EVENT.kept)
    async with posing(chromium, home, EVENT) as page:
        await page.evaluate(
            """(rule) => {
              const sheet = new CSSStyleSheet();
              sheet.replaceSync(rule);
              document.adoptedStyleSheets.push(sheet);
            }""",
            change,
        )
        assert unlike(kept, await taken(page)) > least
