"""How many examples a test of the event rules tries: fewer where each of many mutants is tried."""

import os
from typing import Final

from tests import examples as everywhere

MOST: Final = int(os.environ.get("EVENT_EXAMPLES", "1000000"))


def examples(number: int) -> int:
    """Return the number as everywhere, or the most that the variable EVENT_EXAMPLES allows."""
    return min(everywhere.examples(number), MOST)
