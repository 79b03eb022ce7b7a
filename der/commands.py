"""The closed set of I/O control operations (service IOCTL), each typed with its answer."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from der.curves import GridFunction, GridSupport
from der.model import Connection, Safeguard

A_co = TypeVar("A_co", covariant=True)


class Command(Generic[A_co]):
    """Base of all commands.

    Attributes:
        answer: Type of what a link answers the command with.
        changes: Whether the command changes the device, which needs a handle open for writing.
        takes_s: Seconds that it may take, where that is more than a device's usual deadline.
    """

    __slots__ = ()
    answer: ClassVar[type] = str
    changes: ClassVar[bool] = True
    takes_s: ClassVar[float] = 0.0

    def __str__(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class Connect(Command[str]):
    """Permit the device to be connected to the grid, or a load to run; answers in words."""


@dataclass(frozen=True, slots=True)
class Disconnect(Command[str]):
    """Open the device's switch, or forbid a load to run; answers in words.

    Attributes:
        lapse_s: Seconds after which the device, left alone, may connect again; None until it is
            told so. A device that cannot count says so in its `Safeguard`.
    """

    lapse_s: float | None = None


@dataclass(frozen=True, slots=True)
class FormGrid(Command[str]):
    """Have an inverter form the home's voltage behind an open tie; answers in words.

    It has no lapse, alone among commands that drive: an inverter that stopped forming because the
    hub died would black the home out. It goes on until it is told to follow, its own protection
    ends it (empty, overload, surplus), or its tie closes, which it notices itself within a period.
    While it forms, set-points have no effect on it. Told again, it takes the new figures.

    Attributes:
        frequency_hz: Frequency at no load, its reference.
        voltage_v: Voltage, phase to neutral.
    """

    frequency_hz: float = 50.0
    voltage_v: float = 230.0


@dataclass(frozen=True, slots=True)
class FollowGrid(Command[str]):
    """Have an inverter follow a voltage that is there, and take set-points again; answers in words.

    Without such a voltage it does nothing, and the home is dark.
    """


@dataclass(frozen=True, slots=True)
class Reset(Command[str]):
    """Restart the device; answers in words.

    Attributes:
        hard: At once, whatever it is doing.
    """

    hard: bool = False


@dataclass(frozen=True, slots=True)
class Identify(Command[Connection]):
    """Ask the device anew who it is."""

    answer: ClassVar[type] = Connection
    changes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class FirmwareVersion(Command[str]):
    """Ask for the firmware's version; empty where the device does not say."""

    changes: ClassVar[bool] = False


class Ability(StrEnum):
    """What a device can do beyond reading."""

    POWER = "power"
    """Takes set-points in watts."""
    CONNECT = "connect"
    """Can be connected and disconnected."""
    RESET = "reset"
    FORMING = "forming"
    """Can form the home's voltage by itself."""
    REACTIVE = "reactive"
    """Holds a reactive power or a power factor."""
    CHARGING_PROFILE = "charging-profile"
    SELF_TEST = "self-test"


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """What a device says that it can do.

    Attributes:
        abilities: Beyond reading.
        functions: Grid-support functions that it runs by itself.
        safeguard: What becomes of it when the hub falls silent.
        untimed: Those of `functions` that cannot end by themselves.
        absorbed_var: Greatest reactive power that it absorbs, var, positive; None if it does not
            say.
        injected_var: The same that it injects.
        rated_va: Its greatest apparent power; None if it does not say.
        details: Further facts for people, such as the SunSpec models it has.
    """

    abilities: frozenset[Ability]
    functions: frozenset[GridFunction] = frozenset()
    safeguard: Safeguard = field(default_factory=Safeguard)
    details: tuple[str, ...] = ()
    untimed: frozenset[GridFunction] = frozenset()
    absorbed_var: float | None = None
    injected_var: float | None = None
    rated_va: float | None = None


@dataclass(frozen=True, slots=True)
class Options(Command[DeviceOptions]):
    """Ask what the device can do."""

    answer: ClassVar[type] = DeviceOptions
    changes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """What a self-test found.

    Attributes:
        passed: Whether all is well.
        findings: One sentence each, of what was tried and what came of it.
    """

    passed: bool
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SelfTest(Command[SelfTestReport]):
    """Have the device, or its driver, check itself without moving any power."""

    answer: ClassVar[type] = SelfTestReport
    changes: ClassVar[bool] = False
    takes_s: ClassVar[float] = 10.0


@dataclass(frozen=True, slots=True)
class WriteFunction(Command[GridSupport]):
    """Set, adopt and enable a grid-support function; answers what was read back.

    Attributes:
        settings: A `Curve` or a `Droop`.
        lapse_s: Seconds after which the device, left alone, goes back to what it ran before;
            None for good.
    """

    settings: GridSupport
    lapse_s: float | None = None
    answer: ClassVar[type] = GridSupport
    takes_s: ClassVar[float] = 12.0


@dataclass(frozen=True, slots=True)
class ReadFunction(Command[GridSupport]):
    """Read what a grid-support function is set to, enabled or not."""

    function: GridFunction
    answer: ClassVar[type] = GridSupport
    changes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class StopFunction(Command[str]):
    """Disable a grid-support function; answers in words."""

    function: GridFunction


@dataclass(frozen=True, slots=True)
class HoldReactive(Command[str]):
    """Hold a reactive power or a power factor; answers in words. Exactly one is given.

    Attributes:
        lapse_s: Seconds after which the device, left alone, drops it.
        reactive_var: Reactive power in var, absorbing positive.
        power_factor: Magnitude, 0 to 1, positive where reactive power is absorbed
            (under-excited), negative where it is injected.
        charging_factor: The power factor while active power is taken, where it is another one
            than `power_factor`; None for the same.
    """

    lapse_s: float
    reactive_var: float | None = None
    power_factor: float | None = None
    charging_factor: float | None = None


@dataclass(frozen=True, slots=True)
class ReleaseReactive(Command[str]):
    """Give reactive power back to the device's own control; answers in words."""


@dataclass(frozen=True, slots=True)
class ChargingStep:
    """A part of a charging profile.

    Attributes:
        start_s: Seconds from the profile's start.
        power_w: Greatest charging power.
        phases: Phases to charge on; None for the charger's choice.
    """

    start_s: float
    power_w: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class WriteChargingProfile(Command[str]):
    """Have a charger follow steps of power, starting now; answers in words.

    Attributes:
        steps: In order of their start, the first at 0 s.
        lapse_s: Seconds after which the charger goes back to its fallback profile.
    """

    steps: tuple[ChargingStep, ...]
    lapse_s: float


@dataclass(frozen=True, slots=True)
class ClearChargingProfile(Command[str]):
    """Take the steps back; answers in words."""
