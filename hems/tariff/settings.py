"""What the book of prices is started with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BookSettings:
    """Where prices are read, besides what was agreed.

    Attributes:
        prices: A file, or an http(s) address as text; None for none.
        carbon: The same for the grid's carbon.
        utility: Whether the utility's own price holds as far as it is known.
        refresh_s: How often files and addresses are read.
        stale_s: What was not read anew for so long is not believed any more.
    """

    prices: str | Path | None = None
    carbon: str | Path | None = None
    utility: bool = False
    refresh_s: float = 1800.0
    stale_s: float = 129_600.0
