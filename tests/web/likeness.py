"""Whether two pictures of a page are alike, but for how another machine may draw them."""

from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

LEVELS: Final = 24
"""Of 255, in any channel: what two versions of a browser may draw apart, once blurred."""
BLUR_PX: Final = 1.5
MOST: Final = 0.005
"""Share of the pixels that may differ by more: less than a line of text on a phone."""
COLOURS: Final = 256


def opened(picture: bytes | Path) -> Image.Image:
    """Return a picture's pixels."""
    source = BytesIO(picture) if isinstance(picture, bytes) else picture
    with Image.open(source) as found:
        return found.convert("RGB")


def unlike(kept: Image.Image, taken: Image.Image) -> float:
    """Return the share of the pixels in which two pictures differ; 1 where their sizes do."""
    if kept.size != taken.size:
        return 1.0
    before, after = (
        np.asarray(each.filter(ImageFilter.GaussianBlur(BLUR_PX)), dtype=np.int16)
        for each in (kept, taken)
    )
    apart = np.abs(before - after).max(axis=2) > LEVELS
    return float(apart.mean())


def differences(kept: Image.Image, taken: Image.Image) -> Image.Image:
    """Return what was taken, grey, with all that differs from what was kept in red."""
    grey = taken.convert("L").convert("RGB")
    if kept.size != taken.size:
        return grey
    before, after = (
        np.asarray(each.filter(ImageFilter.GaussianBlur(BLUR_PX)), dtype=np.int16)
        for each in (kept, taken)
    )
    pixels = np.array(grey)
    pixels[np.abs(before - after).max(axis=2) > LEVELS] = (255, 0, 0)
    return Image.fromarray(pixels)


def small(picture: Image.Image) -> bytes:
    """Return a picture as a PNG of few colours; it is like what it was made of."""
    out = BytesIO()
    few = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()
