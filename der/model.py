"""What a device is and what it says: plain records, shared by drivers, programmes and cycle.

Signs are passive everywhere: consumption positive, production negative, charging positive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DeviceKind(StrEnum):
    """What a device does in the home."""

    METER = "meter"
    """The meter at the connection point; a home has one."""
    SUBMETER = "submeter"
    PV = "pv"
    BATTERY = "battery"
    EVSE = "evse"
    HEAT_PUMP = "heat_pump"
    WATER_HEATER = "water_heater"
    THERMOSTAT = "thermostat"
    """Room heating or cooling behind a thermostat that can be set back."""
    PLUG = "plug"
    """Any appliance behind a switched socket."""
    TIE = "tie"
    """The switch that connects the home to the street, or parts it from it (a microgrid
    interconnect device)."""


class Control(StrEnum):
    """What a set-point in watts means to a device."""

    NONE = "none"
    """Read only; a meter."""
    TARGET = "target"
    """Runs at the set-point; a battery."""
    CEILING = "ceiling"
    """Consumes at most the set-point, or stops if it is below its minimum; a charger."""
    FLOOR = "floor"
    """Produces at most: its power never falls below the set-point (negative); a PV inverter."""
    SWITCH = "switch"
    """Is allowed to run (set-point >= its rated power) or is off (less); a relay."""


class Ownership(StrEnum):
    """Who owns a device; the rules of each kind are in `programs.ownership`."""

    OWNER = "owner"
    """The people of the home."""
    SERVICE_PROVIDER = "service-provider"
    """The utility or aggregator: its programmes come first, the owner cannot opt it out."""
    OTHER = "other"
    """Somebody else, such as a tenant or a neighbour: only safety and emergencies reach it."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """When a device that sleeps can be spoken to.

    Attributes:
        period_s: It wakes at least this often.
        awake_s: How long it then listens.
    """

    period_s: float
    awake_s: float


@dataclass(frozen=True, slots=True)
class Comfort:
    """Bounds of a temperature that people feel, in degC: what is heated or cooled keeps to them.

    Attributes:
        low_c: Not colder; only safety and emergencies may keep a heater off below it.
        high_c: Not hotter; the same for cooling.
        cools: Whether running makes it colder.
    """

    low_c: float
    high_c: float
    cools: bool = False


class Phase(StrEnum):
    """A phase conductor of the home's connection."""

    A = "A"
    B = "B"
    C = "C"


class Expiry(StrEnum):
    """What ends a set-point when the hub falls silent."""

    NOTHING_TO_END = "nothing-to-end"
    """The device takes no set-points."""
    REVERSION = "reversion"
    """A reversion timer in the device."""
    FALLBACK = "fallback"
    """The device's profile for lost communication."""
    AUTO_OFF = "auto-off"
    """A relay's or plug's own timer."""
    GUARD = "guard"
    """Nothing in the device: the hub's guard process writes the safe value (`der.guard`)."""


@dataclass(frozen=True, slots=True)
class Safeguard:
    """What becomes of a device when the hub falls silent.

    Attributes:
        expiry: What ends the last set-point.
        safe: What the device then does, in words.
        risk: What may still go wrong, in words; empty if nothing is known.
    """

    expiry: Expiry = Expiry.NOTHING_TO_END
    safe: str = ""
    risk: str = ""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device as commissioned: identity, range and standing in the home.

    Attributes:
        id: Short stable name, unique in the home, as in the configuration.
        kind: What it does.
        name: What the owner calls it.
        control: What a set-point means to it.
        min_w: Least power in W, passive sign (-5000 for a 5 kW battery's discharge).
        max_w: Greatest power in W.
        least_on_w: Least power in W at which it runs at all when on (a charger's 6 A); 0 if none.
        essentiality: 0 is shed first, 8 last; 9 is not shed at all (`keep`).
        max_age_s: A reading older than this is stale.
        min_off_s: Once off it stays off this long (compressor, contactor).
        min_on_s: Once on it stays on this long, except in an emergency or for safety.
        ownership: Whose it is.
        comfort: Bounds of its temperature; None where nobody feels it.
        sleep: When it wakes; None for one that always listens.
        phases: Phases of the home that it is connected to; empty if that is not known.
        keep: Whether nothing but the main breaker's protection may take it away (a medical device);
            so, too, with the greatest essentiality.
    """

    id: str
    kind: DeviceKind
    name: str
    control: Control
    min_w: float
    max_w: float
    least_on_w: float = 0.0
    essentiality: int = 5
    max_age_s: float = 5.0
    min_off_s: float = 0.0
    min_on_s: float = 0.0
    ownership: Ownership = Ownership.OWNER
    comfort: Comfort | None = None
    sleep: Sleep | None = None
    phases: tuple[Phase, ...] = ()
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """Who answered at the other end of a handle, as it describes itself.

    Attributes:
        address: Where, for people.
        manufacturer: Who made it, as it says; empty where it does not say.
        model: What it says that it is.
        serial: Its serial number, as it says.
        firmware: What it says that it runs.
        host: IP address from which it answered; empty where nobody sees it.
        key: SHA-256 of the public key that it has proved to hold, hex digits; empty without TLS,
            or where it shows no certificate.
    """

    address: str
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    host: str = ""
    key: str = ""


class Alarm(StrEnum):
    """What a device complains of by itself."""

    OVER_VOLTAGE = "over_voltage"
    UNDER_VOLTAGE = "under_voltage"
    OVER_FREQUENCY = "over_frequency"
    UNDER_FREQUENCY = "under_frequency"
    STOPPED = "stopped"
    """Shut down by hand, at the device."""
    OPENED = "opened"
    """Its cabinet is open."""
    FAULT = "fault"
    """Anything else."""


class RunState(StrEnum):
    """What an inverter says that it does."""

    OFF = "off"
    SLEEPING = "sleeping"
    STARTING = "starting"
    RUNNING = "running"
    THROTTLED = "throttled"
    """Runs, and gives less than it could because it was told to."""
    SHUTTING_DOWN = "shutting_down"
    FAULT = "fault"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class PhaseReading:
    """One phase of a reading.

    Attributes:
        power_w: Active power, consumption positive; None where it is not measured.
        voltage_v: Phase to neutral; None where it is not measured.
        reactive_var: Reactive power, passive sign; None where it is not measured.
        energy_import_wh: Running total taken from the grid side; None where it is not counted.
        energy_export_wh: Running total given to the grid side.
    """

    power_w: float | None = None
    voltage_v: float | None = None
    reactive_var: float | None = None
    energy_import_wh: float | None = None
    energy_export_wh: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One coherent reading of a device; None where the device does not measure it.

    Attributes:
        at: When it was taken, UTC epoch seconds.
        power_w: Active power, consumption positive.
        reactive_var: Reactive power, passive sign.
        voltage_v: Phase to neutral, phase A or the mean.
        frequency_hz: Grid frequency.
        energy_import_wh: Running total taken from the grid side.
        energy_export_wh: Running total given to the grid side.
        soc: State of charge, 0 to 1.
        capacity_wh: Usable capacity.
        temp_c: Tank or room temperature.
        connected: Whether it can act: inverter grid-connected, car plugged in, contactor closed.
        wants_power: Whether it would consume now if allowed (car not full, thermostat calling).
        limit_w: The limit or set-point that the device itself says is in force.
        grid_voltage_v: Voltage on the street's side of a tie, whose `voltage_v` is the home's.
        grid_frequency_hz: Frequency on the street's side of a tie, 0 without voltage.
        angle_deg: By how much the home's phase leads the street's, -180 to 180.
        forming: Whether an inverter forms the home's voltage, or is told to.
        phases: Phases A, B and C, as many as the device tells apart.
        alarms: What it complains of; None where it cannot say.
        state: What it says that it does.
        taken: When values older than `at` were taken, UTC epoch seconds, by attribute name; what
            is not named was taken at `at`. Devices that report piece by piece need it.
        suspect: Attributes whose values the device gave but that cannot be: they read None.
        regulated_w: Part of `power_w` that a loop faster than the control cycle adds to what the
            cycle told the device (`hems.regulation`); 0 where none does.
        between_w: Least and greatest power that such a loop gave it just before; None without one.
    """

    at: float
    power_w: float
    reactive_var: float | None = None
    voltage_v: float | None = None
    frequency_hz: float | None = None
    energy_import_wh: float | None = None
    energy_export_wh: float | None = None
    soc: float | None = None
    capacity_wh: float | None = None
    temp_c: float | None = None
    connected: bool | None = None
    wants_power: bool | None = None
    limit_w: float | None = None
    grid_voltage_v: float | None = None
    grid_frequency_hz: float | None = None
    angle_deg: float | None = None
    forming: bool | None = None
    phases: tuple[PhaseReading, ...] = ()
    alarms: frozenset[Alarm] | None = None
    state: RunState | None = None
    taken: Mapping[str, float] = field(default_factory=dict)
    suspect: frozenset[str] = frozenset()
    regulated_w: float = 0.0
    between_w: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What a device is told, with the time after which it returns to its own safe state.

    Attributes:
        power_w: Watts, passive sign; the spec's `control` says what it bounds.
        lapse_s: Seconds after which the device, left alone, drops the set-point by itself.
        revert_w: What it then runs at, until it hears otherwise (in an event, the default
            control); None for its own control. Devices that can't hold a second value (relays)
            fall back to their own control either way.
    """

    power_w: float
    lapse_s: float
    revert_w: float | None = None


class Quality(StrEnum):
    """How far a device's state can be trusted."""

    GOOD = "good"
    STALE = "stale"
    """Its last reading is older than `max_age_s`: known, not current, never zero."""
    ASLEEP = "asleep"
    """It sleeps, and its last reading is no older than its wake windows allow."""
    LOST = "lost"
    """Never read, or refusing to answer."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device in the process image.

    Attributes:
        spec: The device as commissioned.
        reading: The last good reading, however old; None before the first.
        quality: What the reading is worth now.
        error: The last error in words, None when the last call went well.
        setpoint: What it was last told and has not lapsed; None when it runs by itself.
        nonsense: Whether it is lost because what it answers cannot be.
        barred: Whether it is not trusted, or not yet: nothing is told to it, and nothing promised
            or reported of it. One that is only read has a spec whose control is `Control.NONE`.
    """

    spec: DeviceSpec
    reading: Reading | None
    quality: Quality
    error: str | None = None
    setpoint: Setpoint | None = None
    nonsense: bool = False
    barred: bool = False
