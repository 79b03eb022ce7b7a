"""When two pictures are taken for alike, and that those which are kept are few, small and shown."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.web.album import IMAGES, Shot, shots
from tests.web.likeness import MOST, opened, small, unlike

MOST_BYTES = 1_500_000
KEPT = [pytest.param(each, id=each.name) for each in shots()]


@pytest.fixture
def picture() -> Image.Image:
    """Two cards with lines of writing on a paper."""
    made = Image.new("RGB", (390, 844), "#f4f1ea")
    pen = ImageDraw.Draw(made)
    for top in (40, 420):
        pen.rounded_rectangle((16, top, 374, top + 300), 14, "#fffdf8", "#d9d2c3")
        for line in range(6):
            pen.text((40, top + 30 + 40 * line), "Charging: the cheapest hours", "#1f2a2c")
    return made


def test_another_size_is_another_picture(picture: Image.Image) -> None:
    assert unlike(picture, picture.resize((picture.width, picture.height + 1))) == 1.0


def test_a_picture_is_like_itself(picture: Image.Image) -> None:
    assert unlike(picture, picture.copy()) == 0.0


def test_a_line_more_or_less_is_found(picture: Image.Image) -> None:
    other = picture.copy()
    ImageDraw.Draw(other).rectangle((40, 65, 340, 85), "#fffdf8")
    ImageDraw.Draw(other).text((40, 70), "Waits until 14:53, then heats", "#1f2a2c", font_size=16)
    assert unlike(picture, other) > 0.0


def test_writing_that_moves_by_a_line_is_another_picture(picture: Image.Image) -> None:
    moved = picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, 0, 0, 1, -20))
    assert unlike(picture, moved) > MOST


def test_a_card_of_another_colour_is_another_picture(picture: Image.Image) -> None:
    other = picture.copy()
    ImageDraw.Draw(other).rounded_rectangle((16, 40, 374, 340), 14, "#e0e0f4")
    assert unlike(picture, other) > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_what_another_machine_draws_a_little_otherwise_is_alike(
    picture: Image.Image, seed: int
) -> None:
    noise = np.random.default_rng(seed).integers(-16, 17, size=(*picture.size[::-1], 3))
    drawn = Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))
    assert unlike(picture, drawn) < MOST / 10


@pytest.mark.parametrize("shot", KEPT)
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
