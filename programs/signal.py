"""What reaches the home from outside, in house words: watts, passive sign, UTC."""

from dataclasses import dataclass
from enum import StrEnum

from der.curves import GridSupport


class SignalKind(StrEnum):
    """What a signal asks; `value` has the unit named here.

    It is never negative, but for set-points, which have the house's sign.
    """

    IMPORT_LIMIT = "import-limit"
    """The home's net power at the meter is at most `value` W."""
    EXPORT_LIMIT = "export-limit"
    """The home's net injection at the meter is at most `value` W."""
    LOAD_LIMIT = "load-limit"
    """The sum of what consumes behind the meter is at most `value` W."""
    GENERATION_LIMIT = "generation-limit"
    """The sum of what produces behind the meter is at most `value` W."""
    SHED = "shed"
    """Net power falls by `value` W below what it was when the event began."""
    ENERGY = "energy"
    """Energy taken over the event is `value` Wh less than the power at its begin would take."""
    DUTY_CYCLE = "duty-cycle"
    """Flexible loads run for at most `value` per cent of the time."""
    DISCONNECT = "disconnect"
    """Generation and storage cease to energise; `value` is 0."""
    STORAGE_POWER = "storage-power"
    """All storage together runs at `value` W, charging positive."""
    DER_POWER = "der-power"
    """Generation and storage together run at `value` W, consumption positive."""
    REACTIVE_POWER = "reactive-power"
    """Generation and storage together hold `value` var, absorption positive."""
    POWER_FACTOR = "power-factor"
    """Each holds the power factor `value` while it gives power: its magnitude, positive where it
    absorbs reactive power, negative where it injects some."""
    CHARGING_FACTOR = "charging-factor"
    """The same while it takes power."""
    VOLT_VAR = "volt-var"
    """Each runs the curve in `settings`; so do the next four. `value` is 0."""
    VOLT_WATT = "volt-watt"
    WATT_VAR = "watt-var"
    FREQUENCY_WATT = "frequency-watt"
    FREQUENCY_DROOP = "frequency-droop"
    SLOPE = "slope"
    """Net power at the meter changes by at most `value` W a minute, either way."""
    RESERVE = "reserve"
    """A committed reserve is called: net power falls by `value` W below what it was."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One mode of one grid event (or of a default control) that is in force now.

    Attributes:
        event: mRID of the event; of the default control where no event sets this mode.
        program: Name of the programme, as the owner joined it.
        kind: What is asked.
        value: In the unit of its kind.
        starts_at: Effective start, UTC epoch seconds.
        ends_at: Effective end; infinite for a default control.
        binding: True where the owner may not opt out.
        emergency: True where comfort and minimum times give way.
        baseline_w: Net power when the event began, for SHED, RESERVE and ENERGY; None for the rest.
        delivered_wh: Energy already saved against the baseline, for ENERGY.
        ramp_s: Time in which the home goes over to it; None for its default rate.
        devices: Ids of the devices that it is about; empty for the home as a whole.
        settings: The function to run, for the kinds that are one; None for the rest.
    """

    event: str
    program: str
    kind: SignalKind
    value: float
    starts_at: float
    ends_at: float
    binding: bool
    emergency: bool = False
    baseline_w: float | None = None
    delivered_wh: float = 0.0
    ramp_s: float | None = None
    devices: frozenset[str] = frozenset()
    settings: GridSupport | None = None

    def in_force(self, now: float) -> bool:
        """Return whether the signal counts at `now`, UTC epoch seconds."""
        return self.starts_at <= now < self.ends_at
