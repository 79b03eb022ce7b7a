"""How many examples a property tries."""

from typing import Final

from hypothesis import settings

SAME: Final = "same"
"""Of `make test`: the same examples each time."""
SEARCH: Final = "search"
"""Of `make test-deep`: new ones each time."""
FEWEST: Final = 10


def examples(number: int) -> int:
    """Return how many examples are tried: all where new ones are looked for, else a third.

    Those of `make test` are the same each time, so that the hundredth finds in the second run
    nothing that it has not found in the first.
    """
    if settings.get_current_profile_name() == SEARCH:
        return number
    return max(min(number, FEWEST), number // 3)
