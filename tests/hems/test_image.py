"""The ring of images: the meter's past, as it was read."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.image import Image, ImageRing

METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)


def image(at: float, power_w: float | None, quality: Quality = Quality.GOOD) -> Image:
    reading = None if power_w is None else Reading(at, power_w)
    return Image(at, int(at), {"meter": DeviceState(METER, reading, quality)})


def slow(ring: ImageRing, since: float) -> Sequence[tuple[float, float]]:
    """Return the same from the images themselves."""
    metered = [each.metered for each in ring.past]
    return tuple(sorted(dict(m for m in metered if m is not None and m[0] >= since).items()))


IMAGES = st.lists(
    st.builds(
        image,
        st.integers(0, 30).map(float),  # the clock may be set back
        st.none() | st.floats(-9e3, 9e3),
        st.sampled_from(Quality),
    ),
    max_size=30,
)


@pytest.mark.requirement("BUC-2")
@given(IMAGES, st.integers(1, 8), st.floats(0, 30))
def test_the_meters_past_is_that_of_the_kept_images(
    images: Sequence[Image], size: int, since: float
) -> None:
    ring = ImageRing(size)
    for each in images:
        ring.swap(each)
        assert ring.past_net(since) == slow(ring, since)
        assert len(ring.past) <= size
