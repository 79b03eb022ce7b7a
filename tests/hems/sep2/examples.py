"""How many examples a test of the event rules tries: fewer where each of many mutants is tried."""

import os
from typing import Final

MOST: Final = int(os.environ.get("EVENT_EXAMPLES", "1000000"))


def examples(number: int) -> int:
    """Return the number, or the most that the environment variable EVENT_EXAMPLES allows."""
    return min(number, MOST)
