"""An Eastron SDM630 on the home's connection: input registers with 32-bit floats, import positive.

Read-only; energies in kWh. Registers between two values exist and read 0; up to 80 in one frame.
"""

from collections.abc import Callable, Mapping, Sequence

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.faults import Fault
from der.sim.mapped.bank import Shown, f32, placed
from der.sim.modbus.server import Table
from der.sim.physics.house import Snapshot

MOST = 80
LAST = 0x180


class Sdm630:
    """The meter; the home's single phase is its phase 1."""

    def __init__(self, home: Callable[[], Snapshot], fault: Fault) -> None:
        self._home = home
        self._shown = Shown(fault)

    def cells(self) -> Mapping[Table, Mapping[int, int]]:
        """Return the input registers."""
        home = self._home()
        flow, power_w = home.meter, self._shown.watts(home.meter.power_w)
        inputs = dict.fromkeys(range(LAST), 0)
        inputs |= placed(
            (0x00, f32(home.voltage_v)),
            (0x02, f32(home.voltage_v)),
            (0x04, f32(home.voltage_v)),
            (0x06, f32(home.amperes(abs(power_w)))),
            (0x0C, f32(power_w)),
            (0x2A, f32(home.voltage_v)),
            (0x34, f32(power_w)),
            (0x38, f32(abs(power_w))),
            (0x3C, f32(flow.reactive_var)),
            (0x46, f32(home.frequency_hz)),
            (0x48, f32(flow.import_wh / 1000)),
            (0x4A, f32(flow.export_wh / 1000)),
        )
        return {Table.INPUT: inputs}

    def take(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Refuse: there is nothing to set here."""
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS, f"{values} to {table} {address}")

    def restart(self) -> None:
        """Keep nothing."""
