"""How long transactions on the store take, and how many fail."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hems.metrics.metric import FAST_S
from hems.metrics.spread import Spread

LEDGER: Final = "ledger"
HISTORY: Final = "history"
GOOD: Final = "good"
FAILED: Final = "failed"


class Pace:
    """Counts transactions.

    Attributes:
        took: How long they take by part, waiting for their turn included, s.
        outcomes: How many there were, by part and outcome.
    """

    def __init__(self) -> None:
        self.took = {part: Spread(FAST_S) for part in (LEDGER, HISTORY)}
        self.outcomes: defaultdict[tuple[str, str], int] = defaultdict(int)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the transaction that the block is."""
        begun, outcome = time.monotonic(), FAILED
        try:
            yield
            outcome = GOOD
        finally:
            self.took[part].add(time.monotonic() - begun)
            self.outcomes[part, outcome] += 1
