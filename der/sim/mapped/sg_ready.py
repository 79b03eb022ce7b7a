"""A heat pump with an SG-Ready input behind a plain relay board: two coils, nothing measured.

Contacts (block, advise): (1, 0) blocks for two hours at most, (0, 0) runs normally, (0, 1)
recommends and (1, 1) orders to run. The board forgets its coils when it restarts.
"""

from collections.abc import Mapping, Sequence

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.journal import Journal
from der.sim.mapped.bank import Clock, bounded, choose
from der.sim.modbus.server import Table
from der.sim.sunspec.reversion import Countdown

LONGEST_BLOCK_S = 2 * 3600.0
BLOCK, ADVISE = 0, 1


class SgReadyHeatPump:
    """The board, and what the heat pump makes of it."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._coils = {BLOCK: 0, ADVISE: 0}
        self._block = Countdown()
        self._ended = False

    def allowed(self) -> bool:
        """Whether the heat pump may run now."""
        if self._block.ran_out(self._clock()):
            self._ended = True  # the contact stays; the heat pump no longer heeds it
        return self._ended or (self._coils[BLOCK], self._coils[ADVISE]) != (1, 0)

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return the coils."""
        return {Table.COIL: dict(self._coils)}

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Set coils; there are no registers."""
        if table is not Table.COIL:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{table} {address}")
        for place, value in enumerate(values, address):
            choose(self._coils, place)
            self._coils[place] = int(bounded(value, 0, 1, "coil"))
            self._journal.wrote("sg_ready", f"coil {place}", f"{place}={value}")
        blocked = (self._coils[BLOCK], self._coils[ADVISE]) == (1, 0)
        if not blocked:
            self._block, self._ended = Countdown(), False
        elif self._block.until is None and not self._ended:
            self._block.start(LONGEST_BLOCK_S, self._clock())

    def restart(self) -> None:
        """Let both contacts go."""
        self._coils = {BLOCK: 0, ADVISE: 0}
        self._block, self._ended = Countdown(), False
