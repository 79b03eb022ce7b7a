"""A device in the configuration, and the description that the registry wants of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from der.addresses import (
    Address,
    FeedAddress,
    MappedAddress,
    ModbusAddress,
    MqttAddress,
    P1Address,
    StationAddress,
    TlsFiles,
    Transport,
    Wiring,
)
from der.description import DeviceDescription
from der.model import Comfort, Control, DeviceKind, DeviceSpec, Ownership, Phase, Sleep
from der.registry import CONTROLS, DRIVERS, Driver
from hems.settings.needs_section import CarSection, HeatSection, RunSection, StorageSection
from hems.settings.section import Consumption, Duration, Port, Power, Section, Text
from programs.proposal import HOME_TARGETS

NOMINAL_V: Final = 230.0
_TOPIC: Final = r"^[^+#$\x00-\x1f\x7f][^+#\x00-\x1f\x7f]{0,199}$"

_METERS: Final = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})
_NEEDS: Final[Mapping[type[Address], tuple[tuple[str, str], ...]]] = {
    ModbusAddress: (("port", "a port"),),
    MappedAddress: (("port", "a port"), ("map", "a map: the name of a description, or its file")),
    StationAddress: (("station", "its station identity"),),
    MqttAddress: (("profile", "a profile"), ("topic", "its topic")),
    P1Address: (("port", "a port"),),
    FeedAddress: (("source", "a source"),),
}

_TABLES: Final[Mapping[str, frozenset[DeviceKind]]] = {
    "car": frozenset({DeviceKind.EVSE}),
    "run": frozenset({DeviceKind.PLUG}),
    "heat": frozenset(
        {DeviceKind.HEAT_PUMP, DeviceKind.WATER_HEATER, DeviceKind.THERMOSTAT, DeviceKind.PLUG}
    ),
    "storage": frozenset({DeviceKind.BATTERY}),
}
"""Which kinds of device may have which table."""

_LEAST_DEADLINE: Final[Mapping[Driver, float]] = {Driver.P1: 12.0}
"""Meters of DSMR 2 to 4 speak every ten seconds, and must be heard once to be open."""


def needs(driver: str) -> tuple[tuple[str, str], ...]:
    """Return the keys that a device of a driver must have, with what each is in words."""
    return _NEEDS[DRIVERS[Driver(driver)].address] if driver in set(Driver) else ()


class DeviceSection(Section):
    """One device as commissioned."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    """Its name in the store, in commands and in other tables; it must not change."""
    kind: DeviceKind
    """What it is, and so how it can be controlled."""
    name: Text
    """What the page calls it."""
    driver: Driver
    """What it is spoken to by."""
    host: Text = "127.0.0.1"
    """Its host name or address, or that of the gateway in front of it."""
    port: Port | None = None
    """Its port; each driver that connects needs one."""
    unit: int = Field(default=1, ge=0, le=255)
    """Modbus unit (slave) identifier."""
    transport: Transport = Transport.TCP
    """How Modbus frames travel: "tcp", "rtu-over-tcp" or "tls"."""
    tls_trust: Path | None = None
    """Root certificates of a device that is spoken to over TLS, PEM."""
    tls_certificate: Path | None = None
    """Our certificate for it, PEM."""
    tls_key: Path | None = None
    """Its private key, PEM."""
    tls_name: str = ""
    """Name in the device's certificate, where it is not its host's."""
    map: str | None = None
    """Description of a Modbus device: the name of one that comes with the product, or a file."""
    station: str | None = Field(default=None, pattern=r"^[^/?#\s]{1,48}$")
    """OCPP identity of a charger."""
    password: str = Field(default="", repr=False)
    """Its password (OCPP security profiles 1 and 2)."""
    id_tags: tuple[str, ...] = ()
    """Cards that may charge; none named means any, as behind a private door."""
    connector: int = Field(default=1, ge=1, le=99)
    """Which of a charger's connectors the device is."""
    profile: str | None = None
    """Shape of an MQTT device's topics and payloads: "tasmota", "shelly-gen1", "shelly" (second
    generation and later) or "zigbee2mqtt"."""
    topic: str | None = Field(default=None, pattern=_TOPIC)
    """An MQTT device's own part of its topics; a zigbee2mqtt name may have blanks in it."""
    source: str | None = None
    """Who brings the readings of a device that is only fed, such as a utility's name."""
    inverted: bool = False
    """A meter that counts the other way round than its protocol says."""
    deadline: Annotated[Duration, Field(gt=0, le=30)] = 2.0
    """Longest time for any one call."""
    min: Power = 0.0
    """Least power: negative for what it can produce."""
    max: Power = 0.0
    """Greatest power it can consume."""
    least_on: Consumption = 0.0
    """Least power at which it runs at all."""
    fallback: Consumption | None = None
    """Power at which a charger may go on when the hub is silent."""
    phases: Literal[1, 3] = 1
    """Phases on which a charger charges; its limits are currents on each of them."""
    switches_phases: bool = False
    """Whether a charger on three phases can be told to charge on one."""
    connected_to: tuple[Phase, ...] = ()
    """Phases of the home that it is connected to, as found or told when it was commissioned."""
    essentiality: int = Field(default=5, ge=0, le=9)
    """0 is shed first, 8 last; 9 is not shed but for the main breaker."""
    keep: bool = False
    """The same as an essentiality of 9: such as a medical device."""
    ownership: Ownership = Ownership.OWNER
    """Whose it is: "owner", "service-provider" or "other"."""
    comfort_low: float | None = Field(default=None, ge=-30, le=95, allow_inf_nan=False)
    """Not colder than this, in degC."""
    comfort_high: float | None = Field(default=None, ge=-30, le=95, allow_inf_nan=False)
    """Not hotter than this, in degC."""
    cools: bool = False
    """Whether running makes it colder."""
    wakes_every: Duration | None = None
    """A device that sleeps wakes at least this often."""
    awake_for: Duration = 1.0
    """How long it then listens."""
    min_on: Duration = 0.0
    """Once on, it is not switched off sooner, but for safety."""
    min_off: Duration = 0.0
    """Once off, it is not switched on sooner, but for safety."""
    max_age: Annotated[Duration, Field(gt=0)] = 5.0
    """A reading older than this is stale."""
    car: CarSection | None = None
    """How the car at a charger is charged."""
    run: RunSection | None = None
    """What a run of the appliance behind a plug is."""
    heat: HeatSection | None = None
    """What it warms."""
    storage: StorageSection | None = None
    """What of a battery nobody measures."""

    @field_validator("map", mode="after")
    @classmethod
    def _file_relative_to_the_file(cls, name: str | None, info: ValidationInfo) -> str | None:
        folder = (info.context or {}).get("folder")
        own = name is not None and name.endswith(".toml")
        return str(folder / name) if own and folder else name

    @field_validator("id")
    @classmethod
    def _no_target_of_the_home(cls, device_id: str) -> str:
        if device_id in HOME_TARGETS:
            raise ValueError(f"{device_id!r} means the home itself; a device needs another id")
        return device_id

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind not in DRIVERS[self.driver].kinds:
            raise ValueError(f"driver {self.driver} cannot drive a {self.kind}")
        if self.min > self.max:
            raise ValueError(f"min {self.min:g} W is above max {self.max:g} W")
        control = CONTROLS[self.kind]
        if control in {Control.CEILING, Control.SWITCH} and self.min != 0:
            raise ValueError(f"a {self.kind} only consumes: its min is 0 W, not {self.min:g} W")
        if control in {Control.TARGET, Control.FLOOR} and not self.min <= 0 <= self.max:
            raise ValueError(f"the range of a {self.kind} must include 0 W, its standstill")
        if control is not Control.NONE and self.min == self.max:
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise ValueError(f"{article} {self.kind} needs a range of power: min, max or both")
        for key, power_w in (("least_on", self.least_on), ("fallback", self.fallback)):
            if power_w is not None and power_w > max(self.max, 0.0):
                raise ValueError(f"{key} {power_w:g} W is above max {self.max:g} W")
        for key, words in _NEEDS[DRIVERS[self.driver].address]:
            if getattr(self, key) is None:
                article = "an" if self.driver[0] in "aeiou" else "a"
                raise ValueError(f"{article} {self.driver} device needs {words}")
        return self

    @model_validator(mode="after")
    def _consistent_details(self) -> Self:
        if (self.comfort_low is None) is not (self.comfort_high is None):
            raise ValueError("comfort has two bounds: comfort_low and comfort_high")
        if (
            self.comfort_low is not None
            and self.comfort_high is not None
            and self.comfort_low >= self.comfort_high
        ):
            raise ValueError(
                f"comfort_low {self.comfort_low:g} degC is not below comfort_high "
                f"{self.comfort_high:g} degC"
            )
        if self.transport is Transport.TLS and self.tls_trust is None:
            raise ValueError("transport tls needs tls_trust, the device's root certificates")
        if (self.tls_certificate is None) is not (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if self.wakes_every is not None and not 0 < self.awake_for <= self.wakes_every:
            raise ValueError("a device that sleeps is awake for a part of wakes_every")
        if self.switches_phases and self.phases == 1:
            raise ValueError("switches_phases is for a charger on 3 phases")
        return self

    @model_validator(mode="after")
    def _consistent_tables(self) -> Self:
        for table, kinds in _TABLES.items():
            if getattr(self, table) is not None and self.kind not in kinds:
                raise ValueError(f"a {self.kind} has no table {table!r}")
        if self.heat is not None and self.comfort_low is None:
            raise ValueError("what it warms needs bounds: comfort_low and comfort_high")
        if self.run is not None and self.comfort_low is not None:
            raise ValueError("an appliance that runs when asked to has no comfort")
        if self.car is not None and (self.car.power or 0.0) > self.max:
            raise ValueError(f"the car's power {self.car.power:g} W is above max {self.max:g} W")
        return self


def description(device: DeviceSection, carried_w: float) -> DeviceDescription:
    """Return a device as the registry wants it described.

    Args:
        device: Its section.
        carried_w: The greatest power in W that the main breaker carries.
    """
    return DeviceDescription(
        spec=spec(device, carried_w),
        driver=device.driver,
        at=_ADDRESSES[DRIVERS[device.driver].address](device),
        inverted=device.inverted,
        deadline_s=max(device.deadline, _LEAST_DEADLINE.get(device.driver, 0.0)),
    )


def spec(device: DeviceSection, carried_w: float) -> DeviceSpec:
    """Return what the home knows of a device; arguments as for `description`."""
    min_w, max_w = device.min, device.max
    if device.kind in _METERS and min_w == max_w == 0.0:
        min_w, max_w = -carried_w, carried_w  # what lies far beyond it is no measurement
    comfort = sleep = None
    if device.comfort_low is not None and device.comfort_high is not None:
        comfort = Comfort(device.comfort_low, device.comfort_high, cools=device.cools)
    if device.wakes_every is not None:
        sleep = Sleep(device.wakes_every, device.awake_for)
    return DeviceSpec(
        id=device.id,
        kind=device.kind,
        name=device.name,
        control=CONTROLS[device.kind],
        min_w=min_w,
        max_w=max_w,
        least_on_w=device.least_on,
        essentiality=device.essentiality,
        keep=device.keep,
        max_age_s=device.max_age,
        min_off_s=device.min_off,
        min_on_s=device.min_on,
        ownership=device.ownership,
        comfort=comfort,
        sleep=sleep,
        phases=device.connected_to,
    )


def _modbus(device: DeviceSection) -> ModbusAddress:
    tls = None
    if device.tls_trust is not None:
        tls = TlsFiles(device.tls_trust, device.tls_certificate, device.tls_key, device.tls_name)
    return ModbusAddress(
        device.host, device.port or 0, device.unit, transport=device.transport, tls=tls
    )


def _mapped(device: DeviceSection) -> MappedAddress:
    return MappedAddress(_modbus(device), device.map or "", _wiring(device))


def _wiring(device: DeviceSection) -> Wiring:
    wiring = Wiring(
        phases=device.phases, voltage_v=NOMINAL_V, switches_phases=device.switches_phases
    )
    if device.fallback is not None:
        wiring = replace(wiring, fallback_a=device.fallback / (NOMINAL_V * device.phases))
    return wiring


def _station(device: DeviceSection) -> StationAddress:
    return StationAddress(
        device.station or "",
        device.password,
        frozenset(device.id_tags),
        device.connector,
        wiring=_wiring(device),
    )


def _mqtt(device: DeviceSection) -> MqttAddress:
    return MqttAddress(device.profile or "", device.topic or "")


def _p1(device: DeviceSection) -> P1Address:
    return P1Address(device.host, device.port or 0)


def _feed(device: DeviceSection) -> FeedAddress:
    return FeedAddress(device.source or "")


_ADDRESSES: Final[Mapping[type[Address], Callable[[DeviceSection], Address]]] = {
    ModbusAddress: _modbus,
    MappedAddress: _mapped,
    StationAddress: _station,
    MqttAddress: _mqtt,
    P1Address: _p1,
    FeedAddress: _feed,
}
