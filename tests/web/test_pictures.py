"""The page still looks as the pictures of it that are kept; `make pictures` writes them anew."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser

from tests.web.album import IMAGES, SCENES, Shot, posing, shots, steady_browser, taken
from tests.web.house import House, house
from tests.web.likeness import MOST, differences, opened, small, unlike
from tests.web.showing import RESULTS

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
    pytest.mark.timeout(180),
]

MOST_BYTES = 1_500_000
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
        pytest.param("[data-testid=event-card] {display: none}", 0.05, id="a card is missing"),
        pytest.param("[data-testid=flow] .pulse, .stream {opacity: 0}", MOST, id="lines are"),
        pytest.param("[data-testid=event-title] {display: none}", MOST, id="a line of text is"),
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


def test_another_size_is_another_picture() -> None:
    picture = opened(EVENT.kept)
    assert unlike(picture, picture.resize((picture.width, picture.height + 1))) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_what_another_machine_draws_a_little_otherwise_is_alike(seed: int) -> None:
    picture = opened(EVENT.kept)
    noise = np.random.default_rng(seed).integers(-16, 17, size=(*picture.size[::-1], 3))
    drawn = Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))
    assert unlike(picture, drawn) < MOST / 10


@pytest.mark.parametrize("shot", [pytest.param(each, id=each.name) for each in shots()])
def test_few_colours_are_enough(shot: Shot) -> None:
    """A picture that is kept is small, and would be kept the same again."""
    picture = opened(shot.kept)
    again = small(picture)
    assert unlike(picture, opened(again)) < MOST / 10
    with Image.open(io.BytesIO(again)) as found:
        assert found.mode == "P"


def test_all_of_them_are_kept_and_nothing_else_and_they_are_small() -> None:
    kept = {path for path in IMAGES.iterdir() if path.is_file()}
    assert kept == {shot.kept for shot in shots()}
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES
    for shot in shots():
        assert opened(shot.kept).size == (shot.viewport["width"], shot.viewport["height"])


def test_the_pictures_that_the_documents_show_are_kept() -> None:
    root = IMAGES.parents[1]
    for document in (root / "README.md", *(root / "docs").glob("*.md")):
        text = document.read_text(encoding="utf-8")
        for place in text.split("](")[1:]:
            target = place.split(")", 1)[0]
            if target.endswith(".png"):
                assert (document.parent / Path(target)).is_file(), f"{document.name}: {target}"
