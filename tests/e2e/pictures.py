"""Writes the pictures of the page that are kept under `docs/images`: `make pictures`.

Whoever changes how the page looks runs it, looks at what has changed, and keeps that.
"""

import asyncio
import tempfile
from pathlib import Path

from tests.web.album import IMAGES, posing, shots, steady_browser, taken
from tests.web.house import house
from tests.web.likeness import small


async def main() -> None:
    """Take all of them anew; what is no more of them goes."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as home, steady_browser() as browser:
            pictures = {}
            for shot in shots():
                async with posing(browser, home, shot) as page:
                    pictures[shot.kept] = small(await taken(page))
    for old in set(IMAGES.glob("*.png")) - set(pictures):
        old.unlink()
    for path, picture in pictures.items():
        path.write_bytes(picture)
        print(f"{path.name}: {len(picture) // 1024} kB")


if __name__ == "__main__":
    asyncio.run(main())
