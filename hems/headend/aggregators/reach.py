"""Which programmes an aggregator sees: those of any of the homes that it speaks for.

To look through thousands of homes at each request would cost more than the request. So a home that
was found to be a programme's is remembered as a witness, and judged anew each time; only when it is
one no more, another is looked for.
"""

from collections.abc import Callable
from typing import Final

from hems.headend.aggregators.rolls import Rolls
from hems.headend.fleet.access import Access
from hems.headend.records import Home, Program

_MOST: Final = 10_000
"""Answers that are remembered."""

_Key = tuple[str, int, Access]


class Reach:
    """What aggregators see beside what they see as homes of their own.

    Args:
        rolls: Whom they speak for.
        assigned: Whether a home, by LFDI, is assigned to a programme.
        served: What a home, by LFDI, is served now.
        change: Number of the last change of anything.
        home: Returns a home by its LFDI.
        limited: Whether a home's contract, by LFDI, keeps anything from it. Such a home speaks for
            its own copies of programmes alone.
    """

    def __init__(
        self,
        rolls: Rolls,
        assigned: Callable[[Program, str], bool],
        served: Callable[[str], Access],
        change: Callable[[], int],
        home: Callable[[str], Home | None],
        *,
        limited: Callable[[str], bool],
    ) -> None:
        self._rolls = rolls
        self._assigned = assigned
        self._served = served
        self._change = change
        self._home = home
        self._limited = limited
        self._witnesses: dict[_Key, Home] = {}
        self._nobody: dict[_Key, int] = {}

    def sees(self, aggregator: str, program: Program, need: Access) -> bool:
        """Return whether a home that it speaks for is assigned to a programme and served this."""
        managed = self._rolls.managed(aggregator)
        if not managed:
            return False
        if program.home is not None:
            only = self._home(program.home)
            return only is not None and self._testifies(only, aggregator, program, need)
        key = aggregator, program.index, need
        witness = self._witnesses.get(key)
        if witness is not None and self._testifies(witness, aggregator, program, need):
            return True
        # What a home is served grows only by changes: until the next one nobody stays nobody.
        if self._nobody.get(key) == self._change():
            return False
        if len(self._nobody) + len(self._witnesses) >= _MOST:
            self._nobody.clear()
            self._witnesses.clear()
        found = (home for home in managed if self._testifies(home, aggregator, program, need))
        witness = next(found, None)
        if witness is None:
            self._nobody[key] = self._change()
        else:
            self._witnesses[key] = witness
        return witness is not None

    def _testifies(self, home: Home, aggregator: str, program: Program, need: Access) -> bool:
        now = self._rolls.numbered(home.id)
        return (
            now is not None
            and now.aggregator == aggregator
            and self._assigned(program, now.lfdi)
            and need in self._served(now.lfdi)
            and (program.home is not None or not self._limited(now.lfdi))
        )
