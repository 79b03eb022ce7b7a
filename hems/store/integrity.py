"""Looking over the whole of a store's file, some pages at a time, while it is in use.

What is read is checked by SQLCipher as it is read; most of a history is not read for months. So
each page's HMAC is checked every now and then as it lies on the disk, beside SQLite and without a
lock. A page that is being written just then looks wrong for a moment: it is looked at again.
"""

import asyncio
from pathlib import Path
from typing import Final

from hems.store.cipher import PAGE, Pages, StoreFile
from hems.store.errors import StoreCorruptError
from hems.store.sqlite import file_errors

SLICE: Final = 64
"""Pages of one slice: half a millisecond's work."""
PAUSE_S: Final = 0.02
"""Between two slices: the control cycle is not to notice."""
AGAIN_S: Final = 2.0
"""Until a page that looked wrong is looked at again."""
_TRIES: Final = 3


async def look_over(file: StoreFile, again_s: float = AGAIN_S) -> int:
    """Look over a file; returns how many pages it has.

    Args:
        file: Which.
        again_s: Until a page that looked wrong is looked at again.

    Raises:
        StoreCorruptError: A page was changed by somebody else than who has the key, or by the
            disk.
        StoreError: The file cannot be read.
    """
    if file.key is None:
        return 0
    pages, first = Pages(file.key), 1
    while True:
        count, wrong = await asyncio.to_thread(_slice, file.path, pages, first)
        for number in wrong:
            await _again(file.path, pages, number, again_s)
        if count < SLICE:
            return first + count - 1
        first += count
        await asyncio.sleep(PAUSE_S)


async def _again(path: Path, pages: Pages, number: int, again_s: float) -> None:
    for _ in range(_TRIES):
        await asyncio.sleep(again_s)
        _, wrong = await asyncio.to_thread(_slice, path, pages, number, 1)
        if not wrong:
            return
    raise StoreCorruptError(f"{path}: the file is damaged: page {number} is not as it was written")


def _slice(path: Path, pages: Pages, first: int, most: int = SLICE) -> tuple[int, list[int]]:
    """Return how many whole pages there are from `first` on, and which of them are wrong."""
    with file_errors(path), path.open("rb") as file:
        file.seek((first - 1) * PAGE)
        content = file.read(most * PAGE)
    count = len(content) // PAGE
    found = (content[place * PAGE : (place + 1) * PAGE] for place in range(count))
    return count, [
        number for number, page in enumerate(found, first) if not pages.genuine(number, page)
    ]
