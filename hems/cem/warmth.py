"""Which devices have left the bounds of their temperature, and are not yet back within them."""

from der.model import Comfort, DeviceState, Quality
from hems.image import Image


def uncomfortable(image: Image, before: frozenset[str], band_c: float) -> frozenset[str]:
    """Return the devices that are too cold, or too hot for what cools.

    One that was out of bounds is back only once it is `band_c` within them, so that it is not
    switched at the bound itself. One whose temperature is not told now stays as it was, unless it
    is lost.

    Args:
        image: What the devices said.
        before: Those that were out of bounds at the last image.
        band_c: In K; at most half of what lies between the bounds is used.
    """
    return frozenset(
        name
        for name, state in image.devices.items()
        if state.spec.comfort is not None
        and _out(state, state.spec.comfort, band_c, was=name in before)
    )


def _out(state: DeviceState, comfort: Comfort, band_c: float, *, was: bool) -> bool:
    if state.quality is Quality.LOST:
        return False
    temp_c = None if state.reading is None else state.reading.temp_c
    if temp_c is None:
        return was
    within_c = min(band_c, (comfort.high_c - comfort.low_c) / 2) if was else 0.0
    if comfort.cools:
        return temp_c >= comfort.high_c if not was else temp_c > comfort.high_c - within_c
    return temp_c <= comfort.low_c if not was else temp_c < comfort.low_c + within_c
